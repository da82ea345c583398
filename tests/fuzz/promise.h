#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

// Aborts, with what was promised and what came instead, so that the fuzzer keeps the input.
inline void promise(bool kept, const char* what, const std::string& found) {
    if (!kept) {
        std::fprintf(stderr, "broken promise: %s\n%s\n", what, found.c_str());
        std::abort();
    }
}
