// Products of F32 matrices: packed panels of one operand against rows of the other, in tiles that stay in registers.
// After Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication".

#include "blocks.h"

_Static_assert(WIDTH % PANEL == 0 && BLOCK % ROWS == 0 && ROWS % 3 == 0 && PANEL % 8 == 0 && DEPTH % 8 == 0, "tiles fill the blocks");

// C[v, s] = sum over l of V[v, l] S[s, l]. v runs along the vectors, s along the rows of a tile.
struct product {
  int64_t nv, ns, k;
  const float *v;
  int64_t v_step, v_term; // between columns, between terms
  const float *s;
  int64_t s_step, s_term;
  float *c;
  int64_t c_v, c_s;
  int add; // to what C holds
  int causal; // what is left out, in terms of the destination's row i and column j
  int v_is_i;
  float *scratch;
};

// Eight rows of eight, transposed: d[l * PANEL + v].
INLINE void transpose8(const float *s, int64_t step, float *d) {
  const vec8 a0 = *(const vec8 *)s, a1 = *(const vec8 *)(s + step), a2 = *(const vec8 *)(s + 2 * step), a3 = *(const vec8 *)(s + 3 * step);
  const vec8 a4 = *(const vec8 *)(s + 4 * step), a5 = *(const vec8 *)(s + 5 * step), a6 = *(const vec8 *)(s + 6 * step),
             a7 = *(const vec8 *)(s + 7 * step);
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define FRONT(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define BACK(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define FIRST(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define SECOND(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)
  const vec8 t0 = LOW(a0, a1), t1 = HIGH(a0, a1), t2 = LOW(a2, a3), t3 = HIGH(a2, a3);
  const vec8 t4 = LOW(a4, a5), t5 = HIGH(a4, a5), t6 = LOW(a6, a7), t7 = HIGH(a6, a7);
  const vec8 b0 = FRONT(t0, t2), b1 = BACK(t0, t2), b2 = FRONT(t1, t3), b3 = BACK(t1, t3);
  const vec8 b4 = FRONT(t4, t6), b5 = BACK(t4, t6), b6 = FRONT(t5, t7), b7 = BACK(t5, t7);
  *(vec8 *)(d) = FIRST(b0, b4);
  *(vec8 *)(d + PANEL) = FIRST(b1, b5);
  *(vec8 *)(d + 2 * PANEL) = FIRST(b2, b6);
  *(vec8 *)(d + 3 * PANEL) = FIRST(b3, b7);
  *(vec8 *)(d + 4 * PANEL) = SECOND(b0, b4);
  *(vec8 *)(d + 5 * PANEL) = SECOND(b1, b5);
  *(vec8 *)(d + 6 * PANEL) = SECOND(b2, b6);
  *(vec8 *)(d + 7 * PANEL) = SECOND(b3, b7);
#undef LOW
#undef HIGH
#undef FRONT
#undef BACK
#undef FIRST
#undef SECOND
}

// One panel, PANEL columns from `column` on: d[l * PANEL + v], zeros beyond the last column.
static void pack_panel(const struct product *g, int64_t column, int64_t first, int64_t depth, float *d) {
  const float *s = g->v + column * g->v_step + first * g->v_term;
  const int64_t left = g->nv - column;
  int64_t l = 0;
  if (left >= PANEL && g->v_step == 1) {
    for (; l < depth; l++)
      for (int n = 0; n < VECTORS; n++) store(d + l * PANEL + n * LANES, load(s + l * g->v_term + n * LANES));
    return;
  }
  if (left >= PANEL && g->v_term == 1) {
    for (; l + 8 <= depth; l += 8)
      for (int v = 0; v < PANEL; v += 8) transpose8(s + v * g->v_step + l, g->v_step, d + l * PANEL + v);
  }
  for (; l < depth; l++)
    for (int64_t v = 0; v < PANEL; v++) d[l * PANEL + v] = v < left ? s[v * g->v_step + l * g->v_term] : 0.0f;
}

// Rows whose terms do not follow each other: groups of ROWS, d[l * ROWS + row].
static void pack_rows(const struct product *g, int64_t row, int64_t count, int64_t first, int64_t depth, float *d) {
  for (int64_t q = 0; q < count; q += ROWS, d += ROWS * depth) {
    const float *s = g->s + (row + q) * g->s_step + first * g->s_term;
    const int64_t left = count - q < ROWS ? count - q : ROWS;
    for (int64_t l = 0; l < depth; l++)
      for (int64_t r = 0; r < ROWS; r++) d[l * ROWS + r] = r < left ? s[r * g->s_step + l * g->s_term] : 0.0f;
  }
}

// The innermost loop: out[row * PANEL + v]. Three rows share a pointer, because an address holds a base and a scaled index.
INLINE void tile(int64_t depth, const float *v, const float *s, int64_t step, int64_t term, float *out) {
  vec c[ROWS][VECTORS];
#pragma clang loop unroll(full)
  for (int r = 0; r < ROWS; r++)
#pragma clang loop unroll(full)
    for (int n = 0; n < VECTORS; n++) c[r][n] = splat(0.0f);
  const float *base[ROWS / 3];
#pragma clang loop unroll(full)
  for (int b = 0; b < ROWS / 3; b++) base[b] = s + 3 * b * step;
  for (int64_t l = 0; l < depth; l++, v += PANEL) {
    vec column[VECTORS];
#pragma clang loop unroll(full)
    for (int n = 0; n < VECTORS; n++) column[n] = load(v + n * LANES);
#pragma clang loop unroll(full)
    for (int r = 0; r < ROWS; r++) {
      const vec x = splat(base[r / 3][(r % 3) * step + l * term]);
#pragma clang loop unroll(full)
      for (int n = 0; n < VECTORS; n++) c[r][n] = column[n] * x + c[r][n];
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < ROWS; r++)
#pragma clang loop unroll(full)
    for (int n = 0; n < VECTORS; n++) store(out + r * PANEL + n * LANES, c[r][n]);
}
static __attribute__((noinline)) void tile_direct(int64_t depth, const float *v, const float *s, int64_t step, float *out) {
  tile(depth, v, s, step, 1, out);
}
static __attribute__((noinline)) void tile_packed(int64_t depth, const float *v, const float *s, float *out) {
  tile(depth, v, s, 1, ROWS, out);
}

// Terms a tile needs under a causal mask; [*from, *to) within the current depth.
INLINE void causal_terms(const struct product *g, int64_t v0, int64_t vn, int64_t s0, int64_t sn, int64_t first, int64_t *from, int64_t *to) {
  const int64_t i0 = g->v_is_i ? v0 : s0, j0 = g->v_is_i ? s0 : v0, j1 = g->v_is_i ? s0 + sn - 1 : v0 + vn - 1;
  if (g->causal == 1 && i0 > j1) *to = 0;
  if (g->causal == 2 && j1 + 1 - first < *to) *to = j1 + 1 - first;
  if (g->causal == 3 && j0 - first > *from) *from = j0 - first;
  if (g->causal == 4 && i0 - first > *from) *from = i0 - first;
}

// Writes rows `from`… of a tile into C.
INLINE void write_tile(const struct product *g, const float *out, float *c, int64_t vn, int64_t rows, int set) {
  if (g->c_v == 1 && vn == PANEL) {
    for (int64_t r = 0; r < rows; r++)
      for (int n = 0; n < VECTORS; n++) {
        float *d = c + r * g->c_s + n * LANES;
        const vec x = load(out + r * PANEL + n * LANES);
        store(d, set ? x : load(d) + x);
      }
    return;
  }
  for (int64_t v = 0; v < vn; v++)
    for (int64_t r = 0; r < rows; r++) {
      float *d = c + v * g->c_v + r * g->c_s;
      *d = set ? out[r * PANEL + v] : *d + out[r * PANEL + v];
    }
}

// Panels [p0, p1) against rows [s_from, s_to), s_from a multiple of ROWS.
static void multiply_block(const struct product *g, int64_t p0, int64_t p1, int64_t s_from, int64_t s_to, int64_t first, int64_t depth, int set) {
  float *panels = g->scratch, *packed = g->scratch + WIDTH * DEPTH;
  const int direct = g->s_term == 1;
  float out[ROWS * PANEL];
  for (int64_t p = p0; p < p1; p++) pack_panel(g, p * PANEL, first, depth, panels + (p - p0) * PANEL * depth);
  for (int64_t s0 = s_from; s0 < s_to; s0 += BLOCK) {
    const int64_t sn = s_to - s0 < BLOCK ? s_to - s0 : BLOCK;
    if (!direct || g->ns < ROWS) pack_rows(g, s0, sn, first, depth, packed);
    for (int64_t p = p0; p < p1; p++) {
      const int64_t v0 = p * PANEL, vn = g->nv - v0 < PANEL ? g->nv - v0 : PANEL;
      const float *panel = panels + (p - p0) * PANEL * depth;
      for (int64_t q = 0; q < sn; q += ROWS) {
        const int64_t rows = sn - q < ROWS ? sn - q : ROWS;
        int64_t from = 0, to = depth;
        if (g->causal) causal_terms(g, v0, vn, s0 + q, rows, first, &from, &to);
        float *c = g->c + v0 * g->c_v + (s0 + q) * g->c_s;
        if (from >= to) {
          if (set)
            for (int64_t r = 0; r < rows; r++)
              for (int64_t v = 0; v < vn; v++) c[v * g->c_v + r * g->c_s] = 0.0f;
          continue;
        }
        const float *result = out;
        if (!direct || g->ns < ROWS) {
          tile_packed(to - from, panel + from * PANEL, packed + q * depth + from * ROWS, out);
        } else {
          // The last rows again together with some before them: every row that is read exists.
          const int64_t back = s0 + q + ROWS > g->ns ? s0 + q + ROWS - g->ns : 0;
          tile_direct(to - from, panel + from * PANEL, g->s + (s0 + q - back) * g->s_step + first + from, g->s_step, out);
          result = out + back * PANEL;
        }
        write_tile(g, result, c, vn, rows, set);
      }
    }
  }
}

// A sum of no terms.
static void clear(const struct product *g, int64_t from, int64_t to, int64_t s_from, int64_t s_to) {
  for (int64_t row = s_from; row < s_to; row++)
    for (int64_t v = from; v < to; v++) g->c[v * g->c_v + row * g->c_s] = 0.0f;
}

// This thread's share: whole panels, or whole groups of rows where that leaves the busiest thread clearly less to do (a few tokens
// make one panel), as every thread then packs all panels. Tiles lie where they would for one thread, so the result has the same bits.
static void multiply(const struct product *g, int ith, int nth) {
  const int64_t panels = (g->nv + PANEL - 1) / PANEL, groups = (g->ns + ROWS - 1) / ROWS;
  const int64_t most_panels = (panels + nth - 1) / nth, most_groups = (groups + nth - 1) / nth;
  const int by_rows = 16 * most_panels * groups > 17 * most_groups * panels;
  const int64_t from = by_rows ? 0 : panels * ith / nth, to = by_rows ? panels : panels * (ith + 1) / nth;
  const int64_t s_from = by_rows ? groups * ith / nth * ROWS : 0, s_end = by_rows ? groups * (ith + 1) / nth * ROWS : g->ns;
  const int64_t s_to = s_end < g->ns ? s_end : g->ns;
  const int64_t parts = (g->k + DEPTH - 1) / DEPTH, together = WIDTH / PANEL;
  if (parts == 0) {
    if (!g->add) clear(g, from * PANEL, to * PANEL < g->nv ? to * PANEL : g->nv, s_from, s_to);
    return;
  }
  const int64_t step = ((g->k + parts - 1) / parts + 7) & ~(int64_t)7;
  for (int64_t p = from; p < to; p += together) {
    const int64_t end = p + together < to ? p + together : to;
    for (int64_t first = 0; first < g->k; first += step) {
      const int64_t depth = g->k - first < step ? g->k - first : step;
      multiply_block(g, p, end, s_from, s_to, first, depth, first == 0 && !g->add);
    }
  }
}

// Few columns of b against a large matrix: a tile would compute mostly nothing, and reading the matrix is what takes time.
// mode 0: dst[i] = a[., i] . b
static void few_dots(const float *a, int64_t step, const float *b, float *dst, int64_t k, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; i++) {
    const float *row = a + i * step;
    vec part[4] = {splat(0.0f), splat(0.0f), splat(0.0f), splat(0.0f)};
    int64_t l = 0;
    for (; l + 4 * LANES <= k; l += 4 * LANES)
      for (int n = 0; n < 4; n++) part[n] = load(row + l + n * LANES) * load(b + l + n * LANES) + part[n];
    float total = sum((part[0] + part[1]) + (part[2] + part[3]));
    for (; l < k; l++) total += row[l] * b[l];
    dst[i] = total;
  }
}
// mode 1: dst[i] = sum over l of a[i, l] b[l]
static void few_sums(const float *a, int64_t step, const float *b, float *dst, int64_t k, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; i++) dst[i] = 0.0f;
  int64_t l = 0;
  for (; l + 4 <= k; l += 4) {
    const float *r0 = a + l * step, *r1 = r0 + step, *r2 = r1 + step, *r3 = r2 + step;
    const float x0 = b[l], x1 = b[l + 1], x2 = b[l + 2], x3 = b[l + 3];
    int64_t i = from;
    for (; i + LANES <= to; i += LANES) {
      const vec near = load(r0 + i) * splat(x0) + load(dst + i), far = load(r2 + i) * splat(x2);
      store(dst + i, (load(r1 + i) * splat(x1) + near) + (load(r3 + i) * splat(x3) + far));
    }
    for (; i < to; i++) dst[i] = (r1[i] * x1 + (r0[i] * x0 + dst[i])) + (r3[i] * x3 + r2[i] * x2);
  }
  for (; l < k; l++)
    for (int64_t i = from; i < to; i++) dst[i] += a[l * step + i] * b[l];
}

#define FEW 4

void FUNCTION(matmul)(struct tensor *dst, int ith, int nth, void *unused) {
  (void)unused;
  const struct tensor *a = dst->src[0], *b = dst->src[1], *scratch = dst->src[2];
  const int mode = dst->op_params[PARAMETER_0], causal = dst->op_params[PARAMETER_1];
  const int64_t a_step = (int64_t)(a->nb[1] / 4), b_step = (int64_t)(b->nb[1] / 4), c_step = (int64_t)(dst->nb[1] / 4);
  // The operand with fewer matrices: each of them meets a group of b's.
  const struct tensor *few = mode == 2 ? dst : a;
  const int64_t group2 = b->ne[2] / few->ne[2], group3 = b->ne[3] / few->ne[3], m = dst->ne[0], n = dst->ne[1];
  for (int64_t i3 = 0; i3 < b->ne[3]; i3++)
    for (int64_t i2 = 0; i2 < b->ne[2]; i2++) {
      const int64_t a2 = mode == 2 ? i2 : i2 / group2, a3 = mode == 2 ? i3 : i3 / group3;
      const int64_t c2 = mode == 2 ? i2 / group2 : i2, c3 = mode == 2 ? i3 / group3 : i3;
      const float *av = (const float *)(a->data + a2 * a->nb[2] + a3 * a->nb[3]);
      const float *bv = (const float *)(b->data + i2 * b->nb[2] + i3 * b->nb[3]);
      float *cv = (float *)(dst->data + c2 * dst->nb[2] + c3 * dst->nb[3]);
      if (n <= FEW && causal == 0 && mode != 2) {
        const int64_t chunks = (m + PANEL - 1) / PANEL, from = chunks * ith / nth * PANEL;
        const int64_t end = chunks * (ith + 1) / nth * PANEL, to = end < m ? end : m;
        for (int64_t j = 0; j < n; j++) {
          if (mode == 0) few_dots(av, a_step, bv + j * b_step, cv + j * c_step, a->ne[0], from, to);
          else few_sums(av, a_step, bv + j * b_step, cv + j * c_step, b->ne[0], from, to);
        }
        continue;
      }
      struct product g = {.nv = m, .ns = n, .v = av, .s = bv, .c = cv, .c_v = 1, .c_s = c_step, .causal = causal, .v_is_i = 1};
      g.add = mode == 2 && (i2 % group2 != 0 || i3 % group3 != 0);
      g.scratch = (float *)scratch->data + ith * (int64_t)SCRATCH_FLOATS;
      if (mode == 0) {
        g.k = a->ne[0];
        g.v_step = a_step, g.v_term = 1, g.s_step = b_step, g.s_term = 1;
        if (n < 128) {
          // The larger matrix is read as it lies; only the smaller one is packed.
          g.nv = n, g.ns = m, g.v = bv, g.v_step = b_step, g.s = av, g.s_step = a_step, g.c_v = c_step, g.c_s = 1, g.v_is_i = 0;
        }
      } else if (mode == 1) {
        g.k = b->ne[0];
        g.v_step = 1, g.v_term = a_step, g.s_step = b_step, g.s_term = 1;
      } else {
        g.k = b->ne[1];
        g.v_step = 1, g.v_term = a_step, g.s_step = 1, g.s_term = b_step;
      }
      multiply(&g, ith, nth);
    }
}
