// SPDX-License-Identifier: Apache-2.0
#include "server/metrics/metrics.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/server/service/calls.h"
#include "tests/testing/resource_limit.h"

namespace varkeep {
namespace {

using ::testing::HasSubstr;

// What GET /metrics answers on a loopback port; "" when nobody does.
std::string Scrape(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0) {
    const std::string request =
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
      char buffer[4096];
      ssize_t size = 0;
      while ((size = ::recv(fd, buffer, sizeof(buffer), 0)) > 0) {
        answer.append(buffer, static_cast<size_t>(size));
      }
    }
  }
  ::close(fd);
  return answer;
}

class MetricsTest : public ::testing::Test {
 protected:
  int Port() {
    const std::string& address = server_.server()->metrics_address();
    int port = 0;
    EXPECT_TRUE(
        absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
    return port;
  }

  InProcessServer server_{
      [](ServerOptions* options) { options->metrics_listen = "127.0.0.1:0"; }};
  Stubs stubs_{server_};
};

TEST_F(MetricsTest, TellHowTheServerIs) {
  ASSERT_OK(stubs_.Declare("v", {2, 3}));

  const std::string metrics = Scrape(Port());

  EXPECT_THAT(metrics, HasSubstr("200 OK"));
  EXPECT_THAT(metrics, HasSubstr("# TYPE varkeep_variables gauge"));
  EXPECT_THAT(metrics, HasSubstr("varkeep_variables 1"));
  EXPECT_THAT(metrics, HasSubstr("varkeep_call_bytes 0"));
  EXPECT_THAT(metrics, HasSubstr("varkeep_log_broken 0"));
  EXPECT_THAT(metrics, HasSubstr("varkeep_log_segments 1"));
  EXPECT_THAT(metrics,
              HasSubstr("# TYPE varkeep_log_appended_bytes_total counter"));
  EXPECT_THAT(metrics, HasSubstr("varkeep_damaged_checkpoints 0"));
}

TEST_F(MetricsTest, CountTheChangesThatAFullDiskRefuses) {
  ::signal(SIGXFSZ, SIG_IGN);  // as varkeepd does
  ASSERT_OK(stubs_.Declare("v", {2, 3}));
  EXPECT_THAT(
      Scrape(Port()),
      HasSubstr("varkeep_changes_refused_total{reason=\"disk_full\"} 0"));
  {
    ResourceLimit full(RLIMIT_FSIZE, 4096);
    EXPECT_THAT(
        stubs_.Declare("w", {2, 3}),
        StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("log-")));
  }
  ASSERT_OK(stubs_.Declare("w", {2, 3}));

  const std::string metrics = Scrape(Port());

  EXPECT_THAT(
      metrics,
      HasSubstr("varkeep_changes_refused_total{reason=\"disk_full\"} 1"));
  EXPECT_THAT(
      metrics,
      HasSubstr("varkeep_changes_refused_total{reason=\"log_broken\"} 0"));
}

TEST_F(MetricsTest, AnAddressInUseIsSaid) {
  EXPECT_THAT(MetricsEndpoint::Start(absl::StrCat("127.0.0.1:", Port()), {}),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("cannot serve metrics on 127.0.0.1")));
}

TEST(NoMetricsTest, AreServedUnlessAskedFor) {
  InProcessServer server;
  EXPECT_EQ(server.server()->metrics_address(), "");
}

}  // namespace
}  // namespace varkeep
