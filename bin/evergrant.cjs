#!/usr/bin/env node
'use strict';

// CommonJS and old syntax, so that a Node too old for the rest still reads this file and says so.
var major = Number(process.versions.node.split('.')[0]);

if (major < 24) {
  fail('evergrant needs Node.js 24 or newer; this is ' + process.version, 2);
} else if (process.platform !== 'linux' && process.platform !== 'darwin') {
  fail('evergrant runs on Linux and macOS; this is ' + process.platform, 2);
} else {
  // A clone that was not built runs from its sources.
  var built = require('node:path').join(__dirname, '../dist/cli/main.js');
  var entry = require('node:fs').existsSync(built) ? built : '../src/cli/main.ts';
  import(entry).catch(function (error) {
    fail('evergrant could not start: ' + error.message, 1);
  });
}

function fail(line, code) {
  process.stderr.write(line + '\n');
  process.exitCode = code;
}
