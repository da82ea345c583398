#include "verbs/pcap_file.h"

#include <fmt/format.h>
#include <memory>
#include <pcap/pcap.h>

namespace weir::verbs {
namespace {

struct CloseCapture {
    void operator()(pcap_t* capture) const { pcap_close(capture); }
};

} // namespace

Result<> read_capture(const std::string& path,
                      const std::function<Result<>(const CapturedFrame&)>& each) {
    char why[PCAP_ERRBUF_SIZE] = "";
    const std::unique_ptr<pcap_t, CloseCapture> capture(pcap_open_offline(path.c_str(), why));
    if (!capture) {
        // libpcap names the file where opening it failed, and not where its content is wrong.
        const std::string message(why);
        return fail(message.starts_with(path) ? message
                                              : fmt::format("reading {}: {}", path, message));
    }
    if (const int link = pcap_datalink(capture.get()); link != DLT_EN10MB) {
        const char* name = pcap_datalink_val_to_name(link);
        return fail(fmt::format("{}: link type {}: expected Ethernet (EN10MB); capture on an "
                                "Ethernet interface, not on `any`",
                                path, name != nullptr ? name : std::to_string(link)));
    }
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    int got = 0;
    while ((got = pcap_next_ex(capture.get(), &header, &data)) == 1) {
        auto taken = each(CapturedFrame{{data, data + header->caplen}, header->len});
        if (!taken) {
            return taken;
        }
    }
    if (got == PCAP_ERROR) {
        return fail(fmt::format("reading {}: {}", path, pcap_geterr(capture.get())));
    }
    return {};
}

} // namespace weir::verbs
