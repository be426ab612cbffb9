#!/usr/bin/env node
/**
 * Looks at the version of Node first, in words that old versions understand, and only then loads the rest: the newer language
 * of the other files would otherwise greet the user with a syntax error.
 */
const needed = [20, 19];
const found = process.versions.node.split(".").map(Number);
if (found[0] < needed[0] || (found[0] === needed[0] && found[1] < needed[1])) {
  console.error(`tenantry needs Node ${needed.join(".")} or newer; this is ${process.versions.node}. See https://nodejs.org`);
  process.exit(1);
} else {
  import("./run.js").then((cli) => cli.main(process.argv.slice(2)));
}

export {};
