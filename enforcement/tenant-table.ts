/** A tenant as the hot paths know it: a small integer, an index into every column. */
export type TenantIndex = number;
