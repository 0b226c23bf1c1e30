// What the library exports: which variant suits this processor, and the addresses of its operators.
#include "blocks.h"
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

// Raised whenever an operator's operands or parameters change.
enum { ABI = 1 };

typedef void operator_function(struct tensor *, int, int, void *);

enum variant { NONE, AVX2, AVX512, NEON };
enum operator_index { MATMUL, SOFTMAX_BACK, SWIGLU_BACK, OPERATORS };

#define DECLARE(variant) operator_function loupe_matmul_##variant, loupe_softmax_back_##variant, loupe_swiglu_back_##variant
#define TABLE(variant) {loupe_matmul_##variant, loupe_softmax_back_##variant, loupe_swiglu_back_##variant}

#if defined(__x86_64__) || defined(_M_X64)
DECLARE(avx2);
DECLARE(avx512);

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4]) {
  __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(sub));
}
// Which registers the system saves when it switches threads.
static uint32_t saved_registers(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}
// All that the compiler may use for the variant (x86-64-v3 and -v4), and that the system keeps its registers.
static int has(int32_t variant) {
  uint32_t r[4];
  cpuid(0x80000000u, 0, r);
  if (r[0] < 0x80000001u) return 0;
  cpuid(0x80000001u, 0, r);
  const uint32_t lzcnt = 1u << 5;
  if (!(r[2] & lzcnt)) return 0;
  cpuid(0, 0, r);
  if (r[0] < 7) return 0;
  cpuid(1, 0, r);
  const uint32_t fma = 1u << 12, movbe = 1u << 22, osxsave = 1u << 27, avx = 1u << 28, f16c = 1u << 29;
  const uint32_t all1 = fma | movbe | osxsave | avx | f16c;
  if ((r[2] & all1) != all1) return 0;
  const uint32_t saved = saved_registers();
  cpuid(7, 0, r);
  const uint32_t bmi1 = 1u << 3, avx2 = 1u << 5, bmi2 = 1u << 8;
  const uint32_t avx512f = 1u << 16, avx512dq = 1u << 17, avx512cd = 1u << 28, avx512bw = 1u << 30, avx512vl = 1u << 31;
  const uint32_t all2 = bmi1 | avx2 | bmi2, all512 = all2 | avx512f | avx512dq | avx512cd | avx512bw | avx512vl;
  if (variant == AVX2) return (r[1] & all2) == all2 && (saved & 0x6) == 0x6;
  return variant == AVX512 && (r[1] & all512) == all512 && (saved & 0xe6) == 0xe6;
}
static operator_function *operator_of(int32_t variant, int32_t index) {
  static operator_function *const avx2[] = TABLE(avx2), *const avx512[] = TABLE(avx512);
  return variant == AVX512 ? avx512[index] : avx2[index];
}
EXPORT int32_t loupe_best(void) { return has(AVX512) ? AVX512 : has(AVX2) ? AVX2 : NONE; }
#else
DECLARE(neon);
static int has(int32_t variant) { return variant == NEON; }
static operator_function *operator_of(int32_t variant, int32_t index) {
  (void)variant;
  static operator_function *const neon[] = TABLE(neon);
  return neon[index];
}
EXPORT int32_t loupe_best(void) { return NEON; }
#endif

EXPORT int32_t loupe_abi(void) { return ABI; }
EXPORT int64_t loupe_scratch_bytes(void) { return SCRATCH_FLOATS * 4; }
// 0 when this processor lacks the variant.
EXPORT void *loupe_operator(int32_t variant, int32_t index) {
  return has(variant) && index >= 0 && index < OPERATORS ? (void *)operator_of(variant, index) : 0;
}
