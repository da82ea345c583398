#include "bench/packet/scenario.h"

#include <iterator>

namespace weir::bench {

std::vector<SetUp> scenarios() {
    std::vector<SetUp> all;
    for (auto* subject : {&parsing_scenarios, &firewall_scenarios, &set_scenarios,
                          &balancer_scenarios, &tc_scenarios}) {
        std::vector<SetUp> some = subject();
        all.insert(all.end(), std::make_move_iterator(some.begin()),
                   std::make_move_iterator(some.end()));
    }
    return all;
}

} // namespace weir::bench
