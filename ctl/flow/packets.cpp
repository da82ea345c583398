#include "flow/packets.h"

#include <algorithm>

namespace weir::flow {
namespace {

bool is_end(const Sighting& sighting) {
    return sighting.hook->stage == Stage::kDropped || sighting.hook->stage == Stage::kFreed;
}

// Address translation changes one end at a time, a tunnel puts both ends under its own: then the
// protocol is another.
bool may_be_same(const Tuple& before, const Tuple& now) {
    if (!before.known || !now.known || before.protocol != now.protocol) {
        return true;
    }
    const bool source = before.saddr == now.saddr && before.sport == now.sport;
    const bool destination = before.daddr == now.daddr && before.dport == now.dport;
    return source || destination;
}

// A buffer that waits in a socket's queue has no device any more: what stands in its place is the
// queue's own (udp_set_dev_scratch() of net/ipv4/udp.c).
bool is_at_socket(const Packet& packet) {
    return std::any_of(packet.sightings.begin(), packet.sightings.end(), [](const Sighting& each) {
        return each.hook->stage == Stage::kSocket || each.hook->stage == Stage::kProcess;
    });
}

const Tuple& last_tuple(const Packet& packet) {
    return packet.sightings.back().tuple;
}

} // namespace

// The packet that goes on with this sighting, or a new one.
Packet Packets::take_begun(const Sighting& sighting) {
    if (sighting.packet != 0) {
        if (auto found = by_buffer_.extract(sighting.packet)) {
            if (may_be_same(last_tuple(found.mapped()), sighting.tuple)) {
                return std::move(found.mapped());
            }
            each_(found.mapped()); // its buffer is another packet's now
        }
    }
    // A frame that is seen twice at one device is two frames.
    const auto frame = std::find_if(frames_.begin(), frames_.end(), [&](const Packet& packet) {
        const Sighting& last = packet.sightings.back();
        return last.tuple == sighting.tuple && last.time <= sighting.time &&
               (sighting.packet != 0 || last.device != sighting.device ||
                last.netns != sighting.netns);
    });
    if (frame == frames_.end()) {
        return {};
    }
    Packet packet = std::move(*frame);
    frames_.erase(frame);
    return packet;
}

void Packets::add(Sighting sighting) {
    Packet packet = take_begun(sighting);
    const std::uint64_t buffer = sighting.packet;
    packet.ended = is_end(sighting);
    if (is_at_socket(packet)) {
        sighting.device = packet.sightings.back().device;
        sighting.netns = packet.sightings.back().netns;
    }
    packet.sightings.push_back(std::move(sighting));
    if (packet.ended) {
        each_(packet);
    } else if (buffer == 0) {
        frames_.push_back(std::move(packet));
    } else {
        by_buffer_[buffer] = std::move(packet);
    }
}

void Packets::expire(std::uint64_t now) {
    const auto idle = [&](const Packet& packet) {
        return packet.sightings.back().time + idle_ns_ <= now;
    };
    for (auto each = by_buffer_.begin(); each != by_buffer_.end();) {
        if (idle(each->second)) {
            each_(each->second);
            each = by_buffer_.erase(each);
        } else {
            ++each;
        }
    }
    while (!frames_.empty() && idle(frames_.front())) {
        each_(frames_.front());
        frames_.pop_front();
    }
}

void Packets::finish() {
    expire(~std::uint64_t{0} - idle_ns_);
}

} // namespace weir::flow
