#pragma once

#include "kernels.h"

namespace tasklens {

/// The best table for this processor.
const Instructions& instructions();

}  // namespace tasklens
