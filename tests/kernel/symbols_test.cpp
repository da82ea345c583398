#include "kernel/symbols.h"

#include <gtest/gtest.h>

namespace weir::kernel {
namespace {

TEST(Symbols, AnAddressFarBehindTheLastFunctionIsNoneOfIt) {
    const auto symbols = Symbols::of_kernel();
    ASSERT_TRUE(symbols) << symbols.error().message();
    EXPECT_EQ(symbols->describe(~std::uint64_t{0}), "0xffffffffffffffff");
    EXPECT_EQ(symbols->function_at(~std::uint64_t{0}), "");
    EXPECT_EQ(symbols->describe(16), "0x10");
}

} // namespace
} // namespace weir::kernel
