#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "kernel/node.h"

namespace weir::kernel {

// Small maps: the tests load often.
inline model::Limits small_limits() {
    return {.nodes = 1024,
            .rules = 64,
            .set_elements = 128,
            .services = 8,
            .backends = 32,
            .buckets = 1024,
            .flows = 256};
}

// A pin directory of the test's own, removed when it ends.
class PinsTest : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    Pins pins() const { return Pins(base_); }
    // Loaded, with the small limits unless told otherwise.
    void load_weir(const model::Limits& limits = small_limits());
    Node open_node() const;

    std::string base_;
};

// The same in an empty network namespace with a pair of veths, wk0 and wk1, both up.
class NetnsTest : public PinsTest {
protected:
    void SetUp() override;
    void TearDown() override;

    // Runs a shell command; the test fails if it does.
    static void shell(const std::string& command);

private:
    int outer_namespace_ = -1;
};

// Contents that all say `mark`, so that a mix of two generations shows.
compile::Images marked_images(std::uint32_t mark);
// A service of the generation, by its slot; none if it has none such.
std::optional<service> service_in(const Node& node, const generation& record, std::uint32_t slot);
// Says what of the generation does not carry its mark; "" if it is whole.
std::string mixed_up(const Node& node, const Kept& kept, std::uint32_t mark);

template <typename T>
std::string message_of(const Result<T>& result) {
    return result ? "" : result.error().message();
}

} // namespace weir::kernel
