#define TASKLENS_INSTRUCTIONS kAvx2
#include "kernels.inc"
