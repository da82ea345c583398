#include "verbs/capture_file.h"

#include <cerrno>
#include <fmt/format.h>

#include "kernel/refusal.h"
#include "verbs/hooks.h"

namespace weir::verbs {

namespace pcapng = output::pcapng;

std::uint64_t WallTime::now(clockid_t clock) {
    constexpr std::uint64_t kSecond = 1'000'000'000;
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * kSecond +
           static_cast<std::uint64_t>(time.tv_nsec);
}

Result<CaptureFile> CaptureFile::create(const std::string& path, const CaptureWords& words,
                                        const std::string& filter, std::uint32_t snap) {
    std::unique_ptr<std::FILE, Close> file(path == "-" ? stdout : std::fopen(path.c_str(), "wbe"));
    if (!file) {
        return fail_errno("writing " + path, errno);
    }
    CaptureFile made(path, std::move(file), words, filter, snap);
    WEIR_CHECK(made.write(pcapng::section_header("weir " WEIR_VERSION)));
    WEIR_CHECK(made.flush());
    return made;
}

tl::unexpected<Error> CaptureFile::refused() {
    const int error = errno;
    reader_gone_ = error == EPIPE;
    return fail_errno("writing " + path_, error);
}

Result<> CaptureFile::write(const std::string& block) {
    const bool whole = std::fwrite(block.data(), 1, block.size(), file_.get()) == block.size();
    return whole ? Result<>() : refused();
}

Result<> CaptureFile::flush() {
    return std::fflush(file_.get()) == 0 ? Result<>() : refused();
}

Result<> CaptureFile::packet(const kernel::CapturedPacket& packet) {
    if (!packet.entry.empty()) {
        WEIR_CHECK(side(packet, false));
    }
    return packet.exit.empty() ? Result<>() : side(packet, true);
}

Result<> CaptureFile::side(const kernel::CapturedPacket& packet, bool exit) {
    const capture_record& record = packet.record;
    const auto at = static_cast<hook>(record.hook);
    const auto [found, is_new] = sides_.try_emplace({record.ifindex, record.hook, exit});
    Seen& seen = found->second;
    if (is_new) {
        seen.number = static_cast<std::uint32_t>(sides_.size() - 1);
        const std::string name =
            at == HOOK_XDP ? words_.device(record.ifindex)
                           : fmt::format("{} {}", words_.device(record.ifindex), hook_name(at));
        WEIR_CHECK(write(pcapng::interface_description(
            {.name = fmt::format("{} {}", name, exit ? "exit" : "entry"),
             .description = exit ? "as the program left it" : "as the program got it",
             .filter = filter_,
             .snap = snap_})));
    }
    seen.packets++;
    const std::uint32_t vlan = exit ? record.exit_vlan : record.entry_vlan;
    const auto frame = with_tag(exit ? packet.exit : packet.entry, vlan);
    const auto tag = static_cast<std::uint32_t>(frame.size() -
                                                (exit ? packet.exit.size() : packet.entry.size()));
    return write(pcapng::enhanced_packet(
        {.interface = seen.number,
         .time = clock_.of(exit ? record.left : record.entered),
         .length = (exit ? record.exit_len : record.entry_len) + tag,
         .octets = frame,
         .direction = exit ? pcapng::Direction::kOutbound : pcapng::Direction::kInbound,
         .id = record.id,
         .program = at == HOOK_XDP ? pcapng::VerdictOf::kXdp : pcapng::VerdictOf::kTc,
         .verdict = static_cast<std::int32_t>(record.action), // TC_ACT_UNSPEC is negative
         .comment = words_.comment(record)}));
}

Result<> CaptureFile::finish(std::uint64_t lost) {
    for (const auto& [side, seen] : sides_) {
        WEIR_CHECK(write(pcapng::interface_statistics({.interface = seen.number,
                                                       .time = WallTime::now(CLOCK_REALTIME),
                                                       .received = seen.packets + lost,
                                                       .dropped = lost})));
    }
    return flush();
}

} // namespace weir::verbs
