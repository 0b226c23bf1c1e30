// Derivatives of the softmax and of the gated unit, each in one pass over memory.

INLINE float *row_of(const struct tensor *t, int64_t row) {
  const int64_t i1 = row % t->ne[1], rest = row / t->ne[1], i2 = rest % t->ne[2], i3 = rest / t->ne[2];
  return (float *)(t->data + i1 * t->nb[1] + i2 * t->nb[2] + i3 * t->nb[3]);
}

// dst = scale * y * (g - sum y g), row by row; with a causal mask the entries behind the row's own number are 0.
void FUNCTION(softmax_back)(struct tensor *dst, int ith, int nth, void *unused) {
  (void)unused;
  const struct tensor *y = dst->src[0], *g = dst->src[1];
  float scale;
  __builtin_memcpy(&scale, &dst->op_params[PARAMETER_0], 4);
  const int causal = dst->op_params[PARAMETER_1];
  const int64_t keys = dst->ne[0], rows = dst->ne[1] * dst->ne[2] * dst->ne[3];
  for (int64_t row = rows * ith / nth; row < rows * (ith + 1) / nth; row++) {
    const float *yr = row_of(y, row), *gr = row_of(g, row);
    float *dr = row_of(dst, row);
    const int64_t own = row % dst->ne[1] + 1, seen = causal && own < keys ? own : keys;
    vec part = splat(0.0f);
    int64_t i = 0;
    for (; i + LANES <= seen; i += LANES) part = load(yr + i) * load(gr + i) + part;
    float total = sum(part);
    for (; i < seen; i++) total += yr[i] * gr[i];
    for (i = 0; i + LANES <= seen; i += LANES) store(dr + i, splat(scale) * load(yr + i) * (load(gr + i) - splat(total)));
    for (; i < seen; i++) dr[i] = scale * yr[i] * (gr[i] - total);
    for (; i < keys; i++) dr[i] = 0.0f;
  }
}

// For x the gate and y the value of silu(x) * y: dst[., ., 0] = g y silu'(x), dst[., ., 1] = g silu(x).
// Below -88 silu is 0 to a float, and x times the clamped sigmoid would not be; a NaN stays one.
INLINE void gate_back(vec x, vec y, vec g, vec *to_gate, vec *to_value) {
  x = at_least(x, -88.0f);
  const vec sigmoid = splat(1.0f) / (splat(1.0f) + exponential(-x));
  const vec silu = x * sigmoid;
  *to_gate = g * y * (sigmoid + silu * (splat(1.0f) - sigmoid));
  *to_value = g * silu;
}
void FUNCTION(swiglu_back)(struct tensor *dst, int ith, int nth, void *unused) {
  (void)unused;
  const struct tensor *x = dst->src[0], *y = dst->src[1], *g = dst->src[2];
  const int64_t width = dst->ne[0], rows = dst->ne[1];
  for (int64_t row = rows * ith / nth; row < rows * (ith + 1) / nth; row++) {
    const float *xr = row_of(x, row), *yr = row_of(y, row), *gr = row_of(g, row);
    float *gate = (float *)(dst->data + row * dst->nb[1]), *value = (float *)(dst->data + row * dst->nb[1] + dst->nb[2]);
    vec to_gate, to_value;
    int64_t i = 0;
    for (; i + LANES <= width; i += LANES) {
      gate_back(load(xr + i), load(yr + i), load(gr + i), &to_gate, &to_value);
      store(gate + i, to_gate);
      store(value + i, to_value);
    }
    for (; i < width; i++) {
      gate_back(splat(xr[i]), splat(yr[i]), splat(gr[i]), &to_gate, &to_value);
      gate[i] = to_gate[0];
      value[i] = to_value[0];
    }
  }
}
