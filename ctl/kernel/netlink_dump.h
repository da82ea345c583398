#pragma once

#include <libmnl/libmnl.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::kernel {

// A netlink message under construction.
class Request {
public:
    Request(std::uint16_t type, std::uint16_t flags);
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    template <typename Header>
    Header* header() {
        return static_cast<Header*>(mnl_nlmsg_put_extra_header(message_, sizeof(Header)));
    }
    nlmsghdr* message() { return message_; }

private:
    alignas(nlmsghdr) std::array<std::uint8_t, 1024> room_{};
    nlmsghdr* message_;
};

// libmnl's mnl_attr_for_each macros are no C++.
template <typename Visit>
void each_attribute(const void* first, const void* end, Visit visit) {
    const auto* attribute = static_cast<const nlattr*>(first);
    const auto left = [&] {
        return static_cast<int>(static_cast<const char*>(end) -
                                reinterpret_cast<const char*>(attribute));
    };
    while (mnl_attr_ok(attribute, left())) {
        visit(attribute);
        attribute = mnl_attr_next(attribute);
    }
}
template <typename Visit>
void each_attribute(const nlmsghdr* message, std::size_t header_size, Visit visit) {
    each_attribute(mnl_nlmsg_get_payload_offset(message, header_size),
                   mnl_nlmsg_get_payload_tail(message), visit);
}
template <typename Visit>
void each_nested(const nlattr* nest, Visit visit) {
    const auto* start = static_cast<const char*>(mnl_attr_get_payload(nest));
    each_attribute(start, start + mnl_attr_get_payload_len(nest), visit);
}

// A netlink socket in the current network namespace.
class Netlink {
public:
    static Result<Netlink> open(int bus);
    // Sends the request and gives every answer to `each`, until the kernel says that it is done.
    // The error, if any, is the kernel's: `*code` is its errno value.
    Result<> ask(Request& request, std::string_view doing,
                 const std::function<void(const nlmsghdr*)>& each, int* code = nullptr);

private:
    explicit Netlink(mnl_socket* socket) : socket_(socket, mnl_socket_close) {}
    std::unique_ptr<mnl_socket, int (*)(mnl_socket*)> socket_;
};

} // namespace weir::kernel
