#pragma once

#include "kernel/node.h"
#include "model/config.h"
#include "verbs/words.h"

namespace weir::verbs {

// Operand 0: VIP:PORT/PROTO.
Result<model::ServiceKey> parse_service(const Words& words);
Result<std::uint32_t> parse_weight(const std::string& word);
// Refused if there is none; names the services of that VIP.
Result<model::Service*> find_service(model::Config& config, const model::ServiceKey& key);
Result<model::Backend*> find_backend(model::Service& service, const IpAddr& address);

output::Json ring_json(const kernel::RingStatus& ring);
// Of ticks of the flow table's clock.
std::uint64_t flow_seconds(std::uint32_t ticks);

} // namespace weir::verbs
