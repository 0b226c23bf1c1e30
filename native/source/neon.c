// The kernel for neon.
#define LANES 4
#define VECTORS 4
#define ROWS 6
#define FUNCTION(name) loupe_##name##_neon
#include "vector.h"

#include "matmul.h"

#include "elementwise.h"
