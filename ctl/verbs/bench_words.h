#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/document.h"
#include "bench/net/peers.h"
#include "verbs/words.h"

// What the words of several `weir bench` verbs have in common.
namespace weir::verbs {

// "64,512,1500", split.
Words items(const std::string& list);

// The option's number, if it was given.
Result<> parse_count(const po::variables_map& options, const char* name, std::uint64_t least,
                     std::uint64_t most, std::uint32_t& into);

// --mode native|generic|both, if it was given.
Result<> parse_modes(const po::variables_map& options, std::vector<bench::NetMode>& into);

// --peers LIST: the known names that were given; none of them: all.
Result<Words> parse_peer_names(const po::variables_map& options, const Words& known);

// Without the peers that were not chosen.
template <typename Peer>
std::vector<Peer> chosen_of(std::vector<Peer> peers, const Words& chosen) {
    std::erase_if(peers, [&](const Peer& peer) {
        return !chosen.empty() &&
               std::find(chosen.begin(), chosen.end(), peer.name) == chosen.end();
    });
    return peers;
}

template <typename Peer>
Words names_of(const std::vector<Peer>& peers) {
    Words names;
    for (const Peer& peer : peers) {
        if (std::find(names.begin(), names.end(), peer.name) == names.end()) {
            names.push_back(peer.name);
        }
    }
    return names;
}

// One line on a terminal's standard error, in place of the one before; "" takes it away.
void show_progress(const std::string& line);

// "0.1.0 (3f2c…), kernel 6.1.0-56-amd64, 2 x AMD EPYC".
std::string headline(const bench::Origin& origin);
// Below a result's tables: how much the machine's speed changed meanwhile.
std::string drift_line(const bench::Json& document);
// "12-15".
std::string quartiles(const bench::Figure& figure, int digits);

} // namespace weir::verbs
