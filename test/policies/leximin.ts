/**
 * Is a solution max-min fair? Asked of a linear-programming solver, that knows nothing of water or filling.
 *
 * A vector is leximin when, for each of its levels L: with those below L fixed, and everybody else at L or above, those at L
 * cannot have more together than they have. One linear program for each level says so; and that it also says so of a wrong
 * solution is tested with it. Problems are solved hundreds at a time, side by side in one program.
 */
import highs from "highs";

// Its types are those of CommonJS, while what is loaded is a module.
const loadSolver = highs as unknown as typeof highs.default;

export interface Claim {
  /** The solution claimed. */
  x: readonly number[];
  /** Level of i: slope[i]·x[i] + offset[i]. */
  slopes: readonly number[];
  offsets?: readonly number[];
  lower: readonly number[];
  upper: readonly number[];
  /** Σ row[i]·x[i] ≤ bound. */
  rows: readonly { row: readonly number[]; bound: number }[];
}

interface Program {
  claim: number;
  objective: [coefficient: number, variable: number][];
  bounds: [low: number, high: number][];
  rows: Claim["rows"];
  expected: number;
}

const TOGETHER = 200;
const SAME = 1e-9;

/** Indices of the claims that are not leximin; all values should be of moderate size, 0.01..1000. */
export async function notLeximin(claims: readonly Claim[]): Promise<number[]> {
  const solver = await loadSolver();
  const wrong = new Set<number>();
  const programs = claims.flatMap(programsOf);
  for (let from = 0; from < programs.length; from += TOGETHER) {
    const batch = programs.slice(from, from + TOGETHER);
    const solved = solver.solve(textOf(batch), { output_flag: false });
    if (solved.Status !== "Optimal") throw new Error(`the solver says ${solved.Status}`);
    const columns = solved.Columns as Record<string, { Primal: number }>;
    batch.forEach((program, b) => {
      const best = program.objective.reduce((sum, [coefficient, i]) => sum + coefficient * columns[`x${b}_${i}`].Primal, 0);
      if (Math.abs(best - program.expected) > 1e-5 * (1 + Math.abs(program.expected))) wrong.add(program.claim);
    });
  }
  return [...wrong];
}

function programsOf({ x, slopes, offsets, lower, upper, rows }: Claim, claim: number): Program[] {
  const levels = x.map((each, i) => slopes[i] * each + (offsets?.[i] ?? 0));
  const distinct: number[] = [];
  for (const level of [...levels].sort((a, b) => a - b)) {
    if (distinct.length === 0 || level > distinct.at(-1)! + SAME * (1 + level)) distinct.push(level);
  }
  return distinct.map((level) => {
    const below = levels.map((each) => each < level - SAME * (1 + level));
    const at = levels.map((each, i) => !below[i] && each <= level + SAME * (1 + level));
    const objective = x.flatMap((_, i): Program["objective"] => (at[i] ? [[slopes[i], i]] : []));
    return {
      claim,
      objective,
      bounds: x.map((each, i) => {
        const atLevel = Math.min((level - (offsets?.[i] ?? 0)) / slopes[i], each);
        return below[i] ? [each, each] : [Math.max(lower[i], atLevel), upper[i]];
      }),
      rows,
      expected: objective.reduce((sum, [coefficient, i]) => sum + coefficient * x[i], 0),
    };
  });
}

/** Programs side by side, in CPLEX's LP format. */
function textOf(batch: readonly Program[]): string {
  const objective: string[] = [];
  const rows: string[] = [];
  const bounds: string[] = [];
  batch.forEach((program, b) => {
    for (const [coefficient, i] of program.objective) objective.push(`+ ${coefficient} x${b}_${i}`);
    program.rows.forEach(({ row, bound }, r) => {
      const terms = row.flatMap((coefficient, i) => (coefficient === 0 ? [] : [`+ ${coefficient} x${b}_${i}`]));
      if (terms.length > 0) rows.push(`c${b}_${r}: ${terms.join(" ")} <= ${bound}`);
    });
    program.bounds.forEach(([low, high], i) => {
      bounds.push(`${low} <= x${b}_${i} <= ${Math.max(low, high)}`);
    });
  });
  return `Maximize\nobj: ${objective.join("\n")}\nSubject To\n${rows.join("\n")}\nBounds\n${bounds.join("\n")}\nEnd\n`;
}
