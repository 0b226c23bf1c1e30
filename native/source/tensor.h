// What the kernel reads of ggml's tensors. The layout is that of the pinned release (src/llama/native/structs.ts; a test compares).
#ifndef LOUPE_TENSOR_H
#define LOUPE_TENSOR_H

#include <stddef.h>
#include <stdint.h>

struct tensor {
  int32_t type;
  void *buffer;
  int64_t ne[4]; // elements along each axis, fastest first
  uint64_t nb[4]; // bytes between neighbours
  int32_t op;
  int32_t op_params[16];
  int32_t flags;
  struct tensor *src[10];
  struct tensor *view_src;
  uint64_t view_offs;
  char *data;
};

// ggml keeps function, tasks and data of a custom operator in the first 24 bytes.
enum { PARAMETER_0 = 6, PARAMETER_1 = 7 };

#endif
