// The kernel for avx2.
#define LANES 8
#define VECTORS 2
#define ROWS 6
#define FUNCTION(name) loupe_##name##_avx2
#include "vector.h"

#include "matmul.h"

#include "elementwise.h"
