#pragma once

#include <string>

// What the kernel's BPF can do, found by trying. Nothing is attached, nothing stays.
namespace weir::kernel {

struct Trial {
    bool works = false;
    std::string found; // why not: "refused (Operation not permitted)"
};

Trial try_program();
Trial try_test_run();
// Replacing a function of a loaded program: what libxdp's dispatcher is made of.
Trial try_freplace();
// Replacing one that leaves packets alone by one that changes them: what libxdp 1.3's dispatcher
// would have to allow Weir.
Trial try_changing_freplace();
Trial try_tcx();
// A program for a kernel function's entry.
Trial try_fentry();

enum class MapProbe { kDevmap, kCpumap };
Trial try_map(MapProbe map);

} // namespace weir::kernel
