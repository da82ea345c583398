#include "kernel/netlink_dump.h"

#include <cerrno>

#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

int hand_on(const nlmsghdr* message, void* each) {
    (*static_cast<const std::function<void(const nlmsghdr*)>*>(each))(message);
    return MNL_CB_OK;
}

} // namespace

Request::Request(std::uint16_t type, std::uint16_t flags)
    : message_(mnl_nlmsg_put_header(room_.data())) {
    message_->nlmsg_type = type;
    message_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    message_->nlmsg_seq = 1;
}

Result<Netlink> Netlink::open(int bus) {
    Netlink opened(mnl_socket_open2(bus, SOCK_CLOEXEC));
    if (!opened.socket_ || mnl_socket_bind(opened.socket_.get(), 0, MNL_SOCKET_AUTOPID) != 0) {
        return refusal("opening a netlink socket", errno);
    }
    return opened;
}

Result<> Netlink::ask(Request& request, std::string_view doing,
                      const std::function<void(const nlmsghdr*)>& each, int* code) {
    const auto refused = [&] {
        if (code) {
            *code = errno;
        }
        return refusal(doing, errno);
    };
    if (mnl_socket_sendto(socket_.get(), request.message(), request.message()->nlmsg_len) < 0) {
        return refused();
    }
    // The most that the kernel gives at once in a dump (libmnl 1.0.5 calls it
    // MNL_SOCKET_DUMP_SIZE).
    std::vector<std::uint8_t> room(32768);
    const unsigned port = mnl_socket_get_portid(socket_.get());
    auto* context = const_cast<std::function<void(const nlmsghdr*)>*>(&each);
    for (;;) {
        const ssize_t length = mnl_socket_recvfrom(socket_.get(), room.data(), room.size());
        if (length < 0) {
            return refused();
        }
        const int more = mnl_cb_run(room.data(), static_cast<std::size_t>(length),
                                    request.message()->nlmsg_seq, port, hand_on, context);
        if (more == MNL_CB_STOP) {
            return {};
        }
        if (more < 0) {
            return refused();
        }
    }
}

} // namespace weir::kernel
