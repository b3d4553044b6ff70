// See algorithm.h.
#pragma once

#include <chrono>

namespace gloo {

class Context {
   public:
    virtual ~Context();
    void setTimeout(std::chrono::milliseconds timeout);
    std::chrono::milliseconds getTimeout() const;
};

}  // namespace gloo
