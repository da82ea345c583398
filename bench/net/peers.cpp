#include "bench/net/peers.h"

#include "bench/net/counting_program.h"

namespace weir::bench {
namespace {

Result<Device> floor_device(const Lab& lab, const NetJob& job, bool generic) {
    auto made = job.forward ? CountingProgram::redirect(lab.in(), lab.out(), generic)
                            : CountingProgram::drop(lab.in(), generic);
    if (!made) {
        return fail(std::move(made).error());
    }
    const auto program = std::make_shared<CountingProgram>(*std::move(made));
    return Device{[program]() -> Result<DeviceBooks> {
        WEIR_TRY(const auto count, program->count());
        return DeviceBooks{.handled = count};
    }};
}

} // namespace

const char* name(NetMode mode) {
    switch (mode) {
    case NetMode::kNative:
        return "native";
    case NetMode::kGeneric:
        return "generic";
    case NetMode::kStack:
        break;
    }
    return "stack";
}

Peer floor_peer(NetMode mode) {
    return {kFloor, "an XDP program that only counts, then drops or redirects every frame", mode,
            [mode](const Lab& lab, const NetJob& job) {
                return floor_device(lab, job, mode == NetMode::kGeneric);
            }};
}

} // namespace weir::bench
