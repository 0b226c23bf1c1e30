// One vector of the processor the file is compiled for. A variant defines LANES, VECTORS and ROWS before it includes this:
// a tile of a product is VECTORS * LANES wide and ROWS high, and its accumulators fill the registers.
#include "tensor.h"

typedef float vec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef float vec8 __attribute__((vector_size(32), aligned(4), may_alias));

#define PANEL (LANES * VECTORS)
#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const float *p) { return *(const vec *)p; }
INLINE void store(float *p, vec v) { *(vec *)p = v; }
INLINE vec splat(float x) { return x - (vec){0}; }

// The larger one; NaN where x is.
INLINE vec at_least(vec x, float low) {
  const ivec below = x < splat(low);
  return (vec)((below & (ivec)splat(low)) | (~below & (ivec)x));
}

// Pairwise, so that the order of additions does not depend on how the compiler sees a loop.
INLINE float sum(vec v) {
  float part[LANES];
  store(part, v);
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++) part[i] += part[i + width];
  return part[0];
}

// e^x by 2^n * p(r), r in [-ln2/2, ln2/2], p the Taylor polynomial of degree 7. Relative error below 1e-7 from -87 to 88
// (measured: 7.8e-8), beyond which x is clamped to what a float holds.
INLINE vec exponential(vec x) {
  x = __builtin_elementwise_min(__builtin_elementwise_max(x, splat(-87.0f)), splat(88.0f));
  const vec scaled = x * splat(1.44269504088896341f);
  // Adding and taking away 1.5 * 2^23 rounds to the nearest integer.
  const vec magic = splat(12582912.0f);
  const vec n = (scaled + magic) - magic;
  vec r = x - n * splat(0.693145751953125f);
  r = r - n * splat(1.42860682030941723e-6f);
  vec p = splat(1.0f / 5040);
  p = p * r + splat(1.0f / 720);
  p = p * r + splat(1.0f / 120);
  p = p * r + splat(1.0f / 24);
  p = p * r + splat(1.0f / 6);
  p = p * r + splat(0.5f);
  p = p * r + splat(1.0f);
  p = p * r + splat(1.0f);
  const ivec bits = (__builtin_convertvector(n, ivec) + 127) << 23;
  return p * (vec)bits;
}
