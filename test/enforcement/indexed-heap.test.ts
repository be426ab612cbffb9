import * as fc from "fast-check";
import { expect, test } from "vitest";
import { IndexedHeap, Places } from "../../enforcement/schedulers/indexed-heap.js";

const step = fc.record({
  what: fc.constantFrom("set", "set", "remove", "removeFirst"),
  member: fc.nat(30),
  key: fc.integer({ min: 0, max: 10 }),
});

test("an indexed heap is a list sorted by key, then by member", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const heap = new IndexedHeap();
      let list: { member: number; key: number }[] = [];
      for (const { what, member, key } of steps) {
        const gone = what === "removeFirst" ? heap.first() : member;
        list = list.filter((each) => each.member !== gone);
        if (what === "set") {
          list.push({ member, key });
          heap.set(member, key);
        } else if (gone >= 0) {
          heap.remove(gone);
        }
        list.sort((a, b) => a.key - b.key || a.member - b.member);
        expect([heap.size, heap.first(), heap.has(member)]).toEqual([
          list.length,
          list[0]?.member ?? -1,
          list.some((each) => each.member === member),
        ]);
        if (list.length > 0) expect(heap.keyOf(list[0].member)).toBe(list[0].key);
      }
    }),
  );
});

test("heaps that share their places keep apart what each member is in", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(20), fc.nat(9)), { maxLength: 200 }), (steps) => {
      const places = new Places();
      const heaps = [0, 1, 2].map(() => new IndexedHeap(places));
      const where = new Map<number, { heap: number; key: number }>();
      for (const [heap, member, key] of steps) {
        const before = where.get(member);
        if (before !== undefined && before.heap !== heap) heaps[before.heap].remove(member);
        heaps[heap].set(member, key);
        where.set(member, { heap, key });
        heaps.forEach((each, i) => {
          const mine = [...where].filter(([, at]) => at.heap === i).sort(([a, x], [b, y]) => x.key - y.key || a - b);
          expect([each.size, each.first()]).toEqual([mine.length, mine[0]?.[0] ?? -1]);
        });
      }
    }),
  );
});
