#!/usr/bin/env node
'use strict';

// CommonJS and old syntax, so that a Node too old for the rest still reads this file and says so.
var major = Number(process.versions.node.split('.')[0]);

if (major < 24) {
  fail('evergrant needs Node.js 24 or newer; this is ' + process.version, 2);
} else if (process.platform !== 'linux' && process.platform !== 'darwin') {
  fail('evergrant runs on Linux and macOS; this is ' + process.platform, 2);
} else {
  start();
}

// A clone runs from its sources, whatever was built there earlier; the package holds none.
function start() {
  var sources = __dirname + '/../src/cli/start.ts';
  if (!require('node:fs').existsSync(sources)) require('../dist/cli/start.cjs');
  else {
    import(sources).catch(function (error) {
      fail('evergrant could not start: ' + error.message, 1);
    });
  }
}

function fail(line, code) {
  process.stderr.write(line + '\n');
  process.exitCode = code;
}
