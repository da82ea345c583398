#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace weir {

// Whose fault an error is; `main` turns it into the exit code.
enum class Fault {
    kSystem, // the kernel, a file, a missing piece: exit code 1
    kUsage,  // what the user typed: exit code 2
};

// Why something was refused, in words for the user: what, where, and the mend.
class Error {
public:
    explicit Error(std::string message, Fault fault = Fault::kSystem)
        : message_(std::move(message)), fault_(fault) {}

    // "reading /etc/x" + "no such file" -> "reading /etc/x: no such file".
    Error while_(std::string_view doing) && {
        message_.insert(0, ": ");
        message_.insert(0, doing);
        return std::move(*this);
    }

    const std::string& message() const { return message_; }
    Fault fault() const { return fault_; }

private:
    std::string message_;
    Fault fault_;
};

// What can be refused by the world. Exceptions mean a bug or no memory.
template <typename T = void>
using Result = tl::expected<T, Error>;

// return fail("...") in any function that answers a Result.
inline tl::unexpected<Error> fail(std::string message) {
    return tl::unexpected<Error>(Error(std::move(message)));
}
inline tl::unexpected<Error> usage(std::string message) {
    return tl::unexpected<Error>(Error(std::move(message), Fault::kUsage));
}
inline tl::unexpected<Error> fail(Error error) {
    return tl::unexpected<Error>(std::move(error));
}
// "doing: No such file or directory", from a positive errno value.
tl::unexpected<Error> fail_errno(std::string_view doing, int error);

} // namespace weir

// Hands an error on to the caller: WEIR_TRY(auto fd, open(path));
#define WEIR_CONCAT_(a, b) a##b
#define WEIR_CONCAT(a, b) WEIR_CONCAT_(a, b)
#define WEIR_TRY(variable, expression)                                                             \
    auto WEIR_CONCAT(result_, __LINE__) = (expression);                                            \
    if (!WEIR_CONCAT(result_, __LINE__)) {                                                         \
        return ::weir::fail(std::move(WEIR_CONCAT(result_, __LINE__)).error());                    \
    }                                                                                              \
    variable = *std::move(WEIR_CONCAT(result_, __LINE__))
// The same where there is no value: WEIR_CHECK(publish(...));
#define WEIR_CHECK(expression)                                                                     \
    do {                                                                                           \
        if (auto result_ = (expression); !result_) {                                               \
            return ::weir::fail(std::move(result_).error());                                       \
        }                                                                                          \
    } while (false)
