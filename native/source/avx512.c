// The kernel for avx512.
#define LANES 16
#define VECTORS 2
#define ROWS 12
#define FUNCTION(name) loupe_##name##_avx512
#include "vector.h"

#include "matmul.h"

#include "elementwise.h"
