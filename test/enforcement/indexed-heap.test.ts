import * as fc from "fast-check";
import { expect, test } from "vitest";
import { IndexedHeap } from "../../enforcement/schedulers/indexed-heap.js";

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
