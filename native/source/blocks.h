// How a product is cut up, the same in every variant, and the working memory this takes.
#ifndef LOUPE_BLOCKS_H
#define LOUPE_BLOCKS_H

// Terms summed in one go: a packed panel and the rows it meets stay in the second-level cache.
#define DEPTH 320
// Rows of the other operand that are packed together.
#define BLOCK 96
// Columns that are packed together, over all panels.
#define WIDTH 512
// Of each thread.
#define SCRATCH_FLOATS ((WIDTH + BLOCK) * DEPTH)

#endif
