/**
 * `npm start`. Looks at the version of Node first, in words that old versions understand, and only then loads the main job:
 * its newer language would otherwise greet the user with a syntax error.
 */
const needed = [20, 19];
const found = process.versions.node.split(".").map(Number);
if (found[0] < needed[0] || (found[0] === needed[0] && found[1] < needed[1])) {
  console.error(`the main job needs Node ${needed.join(".")} or newer; this is ${process.versions.node}. See https://nodejs.org`);
  process.exit(1);
} else {
  import("./main.js");
}

export {};
