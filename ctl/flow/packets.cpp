#include "flow/packets.h"

#include <algorithm>

namespace weir::flow {
namespace {

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
        return each.stage == Stage::kSocket || each.stage == Stage::kProcess;
    });
}

bool same_device(const Sighting& one, const Sighting& other) {
    return one.device == other.device && one.netns == other.netns;
}

bool same_hook(const Sighting& one, const Sighting& other) {
    return one.at == other.at && one.note("action").empty() == other.note("action").empty();
}

// What a driver has sent is freed; also what a veth or generic XDP has copied, for a program needs
// room in front of a frame; and the first of several fragments, once the last has come. Then it
// goes on in another buffer.
bool may_be_copied(const Packet& packet) {
    const auto& seen = packet.sightings;
    if (seen.size() < 2 || seen.back().stage != Stage::kFreed) {
        return false;
    }
    const Stage before = seen[seen.size() - 2].stage;
    return before == Stage::kDriver || before == Stage::kReceive || before == Stage::kIp ||
           before == Stage::kNetfilter || before == Stage::kLocal;
}

// The last place where it was looked at.
const Sighting& last_alive(const Packet& packet) {
    return packet.sightings[packet.sightings.size() - (may_be_copied(packet) ? 2 : 1)];
}

} // namespace

// Programs of one device run on a frame one after the other, on one CPU; each once.
Packets::Place Packets::find_in_program(const Sighting& sighting) {
    const auto found = in_program_.find(sighting.cpu);
    if (found == in_program_.end()) {
        return open_.end();
    }
    const auto& seen = found->second->packet.sightings;
    const Sighting& last = seen.back();
    const bool same_frame = sighting.frame != 0 && sighting.frame == last.frame;
    if (!same_device(last, sighting) || !(same_frame || last.tuple == sighting.tuple)) {
        return open_.end();
    }
    for (auto each = seen.rbegin();
         each != seen.rend() && each->stage == Stage::kXdp && same_device(*each, sighting);
         ++each) {
        if (same_hook(*each, sighting)) {
            return open_.end();
        }
    }
    return found->second;
}

// That a packet last seen there may be the one without a known buffer that is seen here now.
bool Packets::goes_on(const Open& open, const Sighting& now) {
    const Sighting& before = last_alive(open.packet);
    const bool frame = now.stage == Stage::kXdp, here = same_device(before, now);
    const bool alive = open.buffer != 0;
    switch (before.stage) {
    case Stage::kXdp:
        return !frame || !here;
    case Stage::kReceive:
        return here && now.packet == 0; // generic XDP, or TC
    case Stage::kDriver:
        return !here && (frame || !alive);
    case Stage::kTc:
        return here && (!alive || (now.stage == Stage::kTc && now.packet == 0));
    default: // TC on its way out; or, as its fragments, put together
        return here && (alive ? now.stage == Stage::kTc && now.packet == 0
                              : now.stage > before.stage || now.stage == Stage::kNetfilter);
    }
}

// The oldest that goes on like this.
Packets::Place Packets::find_by_tuple(const Sighting& sighting) {
    const auto [first, last] = by_tuple_.equal_range(sighting.tuple);
    const auto found = std::find_if(first, last, [&](const auto& each) {
        return goes_on(*each.second, sighting) &&
               last_alive(each.second->packet).time <= sighting.time;
    });
    return found == last ? open_.end() : found->second;
}

Packets::Place Packets::find(const Sighting& sighting) {
    if (const auto found = by_buffer_.find(sighting.packet); found != by_buffer_.end()) {
        if (may_be_same(found->second->packet.sightings.back().tuple, sighting.tuple)) {
            return found->second;
        }
        end(found->second); // its buffer is another packet's now
    }
    if (sighting.stage == Stage::kXdp) {
        if (const auto place = find_in_program(sighting); place != open_.end()) {
            return place;
        }
    }
    return sighting.stage == Stage::kFreed ? open_.end() : find_by_tuple(sighting);
}

void Packets::index(Place place) {
    const Sighting& last = place->packet.sightings.back();
    if (place->buffer != 0) {
        by_buffer_[place->buffer] = place;
    }
    if (const Tuple& tuple = last_alive(place->packet).tuple; tuple.known) {
        by_tuple_.emplace(tuple, place);
    }
    if (last.stage == Stage::kXdp) {
        in_program_[last.cpu] = place;
    }
}

void Packets::unindex(Place place) {
    const Sighting& last = place->packet.sightings.back();
    if (place->buffer != 0) {
        by_buffer_.erase(place->buffer);
    }
    const auto [first, end] = by_tuple_.equal_range(last_alive(place->packet).tuple);
    const auto found = std::find_if(first, end, [&](auto& each) { return each.second == place; });
    if (found != end) {
        by_tuple_.erase(found);
    }
    if (const auto on = in_program_.find(last.cpu);
        on != in_program_.end() && on->second == place) {
        in_program_.erase(on);
    }
}

void Packets::end(Place place) {
    unindex(place);
    each_(place->packet);
    open_.erase(place);
}

void Packets::add(Sighting sighting) {
    auto place = find(sighting);
    if (place == open_.end()) {
        if (sighting.stage == Stage::kFreed) {
            return; // of what it was nothing was seen, or it is a copy
        }
        place = open_.emplace(place);
    } else {
        unindex(place);
        open_.splice(open_.end(), open_, place);
    }
    Packet& packet = place->packet;
    place->buffer = sighting.packet != 0 ? sighting.packet : place->buffer;
    if (may_be_copied(packet)) { // and came here in another buffer
        packet.sightings.pop_back();
        packet.ended = false;
    }
    const bool freed = sighting.stage == Stage::kFreed;
    if (freed && packet.sightings.back().sends_frame()) { // its octets go on without it
        place->buffer = 0;
        index(place);
        return;
    }
    packet.ended = freed || sighting.stage == Stage::kDropped;
    if (is_at_socket(packet)) {
        sighting.device = packet.sightings.back().device;
        sighting.netns = packet.sightings.back().netns;
    }
    packet.sightings.push_back(std::move(sighting));
    if (packet.ended) {
        place->buffer = 0;
    }
    index(place);
    if (packet.ended && !may_be_copied(packet)) {
        end(place);
    }
}

void Packets::expire(std::uint64_t now) {
    // Longer than the kernel asks for a neighbour: mcast_solicit times retrans_time_ms of
    // Documentation/networking/ip-sysctl.rst.
    constexpr std::uint64_t kNextHop = 4'000'000'000;
    for (auto place = open_.begin(); place != open_.end();) {
        const Sighting& last = place->packet.sightings.back();
        if (last.time + idle_ns_ > now) {
            return;
        }
        const bool waits = last.awaits_next_hop() && last.time + kNextHop > now;
        const auto next = std::next(place);
        if (!waits) {
            end(place);
        }
        place = next;
    }
}

void Packets::finish() {
    while (!open_.empty()) {
        end(open_.begin());
    }
}

} // namespace weir::flow
