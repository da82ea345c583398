#include "bench/apps/apps_lab.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "bench/cpus.h"

namespace weir::bench {
namespace {

// One process, a short answer from memory, no files.
constexpr const char* kNginx = R"(
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events { worker_connections 1024; }
http {
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {
        listen 80 backlog=4096;
        location / { return 200 "Weir bench\n"; }
    }
}
)";

Result<> as_on_a_wire(const std::string& interface) {
    WEIR_CHECK(run_process({"ethtool", "-K", interface, "tx", "off", "gso", "off", "tso", "off"}));
    return {};
}

} // namespace

Result<AppsLab> AppsLab::make(int number) {
    WEIR_TRY(auto lab, Lab::make(number, 1));
    AppsLab made(std::move(lab));
    WEIR_CHECK(made.lay_out());
    return made;
}

Result<> AppsLab::lay_out() const {
    const std::string client = lab_.generator(), server = lab_.sink();
    WEIR_CHECK(lab_.enter(Lab::Place::kGenerator));
    WEIR_CHECK(ip_batch(fmt::format("addr add 192.0.2.1/24 dev {0}\n"
                                    "route add {1} via 192.0.2.2\n"
                                    "link add direct0 type veth peer name direct1 netns {2}\n"
                                    "link set direct0 up\naddr add 198.18.0.1/24 dev direct0\n",
                                    client, kVip, lab_.path(Lab::Place::kSink))));
    WEIR_CHECK(set_sysctl("net/ipv4/tcp_tw_reuse", 1));
    for (const std::string& each : {client, std::string("direct0")}) {
        WEIR_CHECK(as_on_a_wire(each));
    }
    WEIR_CHECK(lab_.enter(Lab::Place::kSink));
    WEIR_CHECK(ip_batch(fmt::format("link set lo up\naddr add {0}/24 dev {1}\naddr add {2}/32 dev "
                                    "lo\nlink set direct1 up\naddr add {3}/24 dev direct1\n"
                                    "route add 192.0.2.0/24 via 198.18.0.1\n",
                                    kBackend, server, kVip, kDirect)));
    for (const std::string& each : {server, std::string("direct1")}) {
        WEIR_CHECK(as_on_a_wire(each));
    }
    WEIR_CHECK(switch_gro_on(server)); // or no frame reaches it from the device's XDP
    WEIR_CHECK(lab_.enter(Lab::Place::kDevice));
    WEIR_CHECK(as_on_a_wire(lab_.in()));
    return as_on_a_wire(lab_.out());
}

Result<> AppsLab::answer_through_device() const {
    WEIR_CHECK(lab_.enter(Lab::Place::kSink));
    return ip_batch("route replace 192.0.2.0/24 via 10.0.2.1\n");
}

Result<Child> AppsLab::start_nginx() {
    WEIR_TRY(auto folder, ScratchFolder::make());
    scratch_ = std::make_unique<ScratchFolder>(std::move(folder));
    WEIR_CHECK(scratch_->write("nginx.conf", kNginx));
    return Child::start(
        {"nginx", "-p", scratch_->path() + "/", "-c", "nginx.conf", "-e", "stderr"});
}

Result<> AppsLab::wait_for(Child& server, std::uint16_t port) const {
    constexpr auto kPatience = std::chrono::seconds(10);
    constexpr auto kBetween = std::chrono::milliseconds(5);
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < until) {
        WEIR_CHECK(server.check());
        WEIR_TRY(const auto listening,
                 run_process({"ss", "-Hltn", fmt::format("sport = :{}", port)}));
        if (!listening.empty()) {
            return {};
        }
        std::this_thread::sleep_for(kBetween);
    }
    return fail(fmt::format("nothing listens on port {} after 10 seconds", port));
}

Result<> AppsLab::start_servers(unsigned cpu) {
    WEIR_TRY(const auto before, allowed_cpus());
    WEIR_CHECK(stay_on({cpu})); // children inherit it
    WEIR_CHECK(lab_.enter(Lab::Place::kSink));
    const auto start = [&](Result<Child> child, std::uint16_t port, std::string& why_not) {
        const Result<> ready = child ? wait_for(*child, port) : Result<>(fail(child.error()));
        if (ready) {
            servers_.push_back(*std::move(child));
        } else {
            why_not = ready.error().message();
        }
    };
    start(start_nginx(), kHttpPort, no_nginx_);
    start(Child::start({"iperf3", "-s", "-p", std::to_string(kIperfPort)}), kIperfPort, no_iperf_);
    return stay_on(before);
}

const std::string& AppsLab::why_not(std::uint16_t port) const {
    return port == kHttpPort ? no_nginx_ : no_iperf_;
}

} // namespace weir::bench
