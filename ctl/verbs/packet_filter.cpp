#include "verbs/packet_filter.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

namespace weir::verbs {

void PacketFilter::Free::operator()(bpf_program* program) const {
    pcap_freecode(program);
    delete program;
}

Result<PacketFilter> PacketFilter::parse(const std::string& words) {
    if (words.empty()) {
        return PacketFilter(nullptr);
    }
    constexpr int kLongest = 1 << 16;
    const std::unique_ptr<pcap_t, void (*)(pcap_t*)> compiler(pcap_open_dead(DLT_EN10MB, kLongest),
                                                              pcap_close);
    if (!compiler) {
        return fail("libpcap: no memory");
    }
    std::unique_ptr<bpf_program, Free> program(new bpf_program{});
    if (pcap_compile(compiler.get(), program.get(), words.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
        return usage(
            fmt::format("filter '{}': {}; see pcap-filter(7)", words, pcap_geterr(compiler.get())));
    }
    return PacketFilter(std::move(program));
}

bool PacketFilter::takes(std::span<const std::uint8_t> octets, std::uint32_t length) const {
    if (!program_) {
        return true;
    }
    pcap_pkthdr header{};
    header.caplen = static_cast<bpf_u_int32>(octets.size());
    header.len = length;
    return pcap_offline_filter(program_.get(), &header, octets.data()) != 0;
}

} // namespace weir::verbs
