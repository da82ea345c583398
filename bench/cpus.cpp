#include "bench/cpus.h"

#include <sched.h>

#include <cerrno>

namespace weir::bench {

Result<std::vector<unsigned>> allowed_cpus() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0) {
        return fail_errno("asking for the CPUs of this process", errno);
    }
    std::vector<unsigned> cpus;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &set)) {
            cpus.push_back(cpu);
        }
    }
    return cpus;
}

Result<> stay_on(const std::vector<unsigned>& cpus) {
    cpu_set_t only;
    CPU_ZERO(&only);
    for (const unsigned cpu : cpus) {
        CPU_SET(cpu, &only);
    }
    if (sched_setaffinity(0, sizeof(only), &only) != 0) {
        return fail_errno("staying on some CPUs", errno);
    }
    return {};
}

} // namespace weir::bench
