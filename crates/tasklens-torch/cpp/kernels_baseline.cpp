#define TASKLENS_INSTRUCTIONS kBaseline
#include "kernels.inc"
