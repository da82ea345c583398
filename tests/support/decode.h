#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/frame.h"

// Reads frames that came out of a program. It shares no code with the frame builder: what both
// agree on is not one mistake made twice.
namespace weir::test {

struct DecodedIp {
    int version = 0;
    std::string src, dst;
    unsigned tos = 0; // IPv6: traffic class
    unsigned flow_label = 0;
    unsigned total_length = 0; // from this header's first octet; IPv6 too
    unsigned id = 0;
    bool dont_fragment = false;
    unsigned hops = 0;
    unsigned protocol = 0; // behind extension headers
};

struct Decoded {
    std::string dst_mac, src_mac;
    std::vector<unsigned> vlans; // identifiers, outermost first
    unsigned type = 0;           // behind the tags
    std::vector<DecodedIp> ip;   // outermost first
    // Lengths and checksums that are not what RFC 791, 768, 9293, 792, 4443 want; empty: all right.
    std::vector<std::string> faults;
};

Decoded decode(const Octets& frame);

} // namespace weir::test
