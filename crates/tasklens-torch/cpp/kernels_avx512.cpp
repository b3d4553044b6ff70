#define TASKLENS_INSTRUCTIONS kAvx512
#include "kernels.inc"
