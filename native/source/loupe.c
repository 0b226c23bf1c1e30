// What the library exports: which variant suits this processor, and the addresses of its operators.
#include "tensor.h"

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
// No C runtime is linked, so the loader calls this directly.
int __stdcall DllMainCRTStartup(void *instance, uint32_t reason, void *reserved) {
  (void)instance, (void)reason, (void)reserved;
  return 1;
}
int _fltused = 0;
#else
#define EXPORT __attribute__((visibility("default")))
#endif

// Raised whenever an operator's operands, parameters or working memory change.
enum { ABI = 1 };
// The largest of the variants' (matmul.h): 512 columns and 96 rows of 320 terms, and some room.
enum { SCRATCH_BYTES = (512 * 320 + 96 * 320 + 256) * 4 };

typedef void operator_function(struct tensor *, int, int, void *);

#if defined(__x86_64__) || defined(_M_X64)
operator_function loupe_matmul_avx512, loupe_softmax_back_avx512, loupe_swiglu_back_avx512;
operator_function loupe_matmul_avx2, loupe_softmax_back_avx2, loupe_swiglu_back_avx2;

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4]) {
  __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(sub));
}
// Which registers the system saves when it switches threads.
static uint32_t saved_registers(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}
enum { NONE, AVX2, AVX512 };
static int best(void) {
  uint32_t r[4];
  cpuid(0, 0, r);
  if (r[0] < 7) return NONE;
  cpuid(1, 0, r);
  const uint32_t fma = 1u << 12, osxsave = 1u << 27;
  if ((r[2] & (fma | osxsave)) != (fma | osxsave)) return NONE;
  const uint32_t saved = saved_registers();
  cpuid(7, 0, r);
  const uint32_t avx2 = 1u << 5, avx512f = 1u << 16, avx512dq = 1u << 17, avx512bw = 1u << 30, avx512vl = 1u << 31;
  const uint32_t all512 = avx512f | avx512dq | avx512bw | avx512vl;
  if ((r[1] & all512) == all512 && (saved & 0xe6) == 0xe6) return AVX512;
  return (r[1] & avx2) && (saved & 0x6) == 0x6 ? AVX2 : NONE;
}
#define CHOOSE(name) (best() == AVX512 ? loupe_##name##_avx512 : best() == AVX2 ? loupe_##name##_avx2 : 0)
EXPORT const char *loupe_variant(void) { return best() == AVX512 ? "avx512" : best() == AVX2 ? "avx2" : "none"; }
#else
operator_function loupe_matmul_neon, loupe_softmax_back_neon, loupe_swiglu_back_neon;
#define CHOOSE(name) loupe_##name##_neon
EXPORT const char *loupe_variant(void) { return "neon"; }
#endif

EXPORT int32_t loupe_abi(void) { return ABI; }
EXPORT int64_t loupe_scratch_bytes(void) { return SCRATCH_BYTES; }
EXPORT void *loupe_matmul(void) { return (void *)CHOOSE(matmul); }
EXPORT void *loupe_softmax_back(void) { return (void *)CHOOSE(softmax_back); }
EXPORT void *loupe_swiglu_back(void) { return (void *)CHOOSE(swiglu_back); }
