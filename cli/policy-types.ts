/**
 * The types of a policy, by the TypeScript that its author has installed, 5 or later. Its compiler is called as a program: that
 * is the same in every version. Node's own types are left out, for a policy has no files, no timers and no network.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export interface TypesVerdict {
  met: boolean;
  /** `FILE:LINE:COLUMN what is wrong (TS0000)`, one each; or why there was no check. */
  mistakes: string[];
}

/** What a policy may print with, to find its mistakes. */
const GLOBALS = "declare const console: Record<'log' | 'info' | 'warn' | 'error' | 'table', (...data: unknown[]) => void>;\n";

/** Checks the types of the policy in \`path\`. */
export async function checkTypes(path: string): Promise<TypesVerdict> {
  const file = resolve(path);
  const compiler = compilerFor(file);
  if (compiler === undefined) {
    const mistakes = [
      "not checked: TypeScript is not installed here; npm install --save-dev typescript, or check with --no-types",
    ];
    return { met: false, mistakes };
  }
  const folder = mkdtempSync(join(tmpdir(), "tenantry-types-"));
  try {
    const globals = join(folder, "globals.d.ts");
    const project = join(folder, "tsconfig.json");
    writeFileSync(globals, GLOBALS);
    writeFileSync(project, JSON.stringify(settings(file, globals)));
    const output = await compile(compiler, project, dirname(file));
    return { met: output.code === 0, mistakes: mistakesIn(output.text) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function settings(file: string, globals: string): object {
  const script = /\.[cm]?js$/.test(file);
  return {
    compilerOptions: {
      strict: true,
      noEmit: true,
      target: "ES2023",
      lib: ["ES2023"],
      module: "ESNext",
      moduleResolution: "Bundler",
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      types: [],
      // What runs is this package, whatever is installed beside the file.
      paths: { "tenantry/policies": [fileURLToPath(new URL("../policies/index.d.ts", import.meta.url))] },
      ...(script && { allowJs: true, checkJs: true, noImplicitAny: false }),
    },
    files: [globals, file],
  };
}

/** The compiler's program: the one installed beside the policy, else one installed beside this package. */
function compilerFor(file: string): string | undefined {
  for (const from of [file, fileURLToPath(import.meta.url)]) {
    for (const folder of createRequire(from).resolve.paths("typescript") ?? []) {
      const manifest = join(folder, "typescript", "package.json");
      if (!existsSync(manifest)) continue;
      const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { bin?: { tsc?: string } };
      if (bin?.tsc !== undefined) return join(dirname(manifest), bin.tsc);
    }
  }
  return undefined;
}

function compile(compiler: string, project: string, cwd: string): Promise<{ code: number; text: string }> {
  return new Promise((done) => {
    const args = [compiler, "--project", project, "--pretty", "false"];
    execFile(process.execPath, args, { cwd, maxBuffer: 16e6 }, (error, out, err) => {
      done({ code: error === null ? 0 : 1, text: `${out}${err}` });
    });
  });
}

/** `file.ts(4,20): error TS2322: Type …`, and lines below it that go on about it, indented. */
function mistakesIn(text: string): string[] {
  const mistakes: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const match = /^(.*?)\((\d+),(\d+)\): error (TS\d+): (.*)$/.exec(line);
    if (match !== null) mistakes.push(`${basename(match[1])}:${match[2]}:${match[3]} ${match[5]} (${match[4]})`);
    else if (line.trim() !== "" && (mistakes.length === 0 || !line.startsWith(" "))) mistakes.push(line.trim());
  }
  return mistakes;
}
