// SPDX-License-Identifier: Apache-2.0
#include "base/background_thread.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <thread>

namespace varkeep {
namespace {

int Nice() { return ::getpriority(PRIO_PROCESS, 0); }

TEST(BackgroundThreadTest, GivesWayWithTheThreadsThatItStarts) {
  const int usual = Nice();
  int own = 0;
  int started = 0;
  std::thread thread([&] {
    BecomeBackgroundThread();
    own = Nice();
    std::thread([&] { started = Nice(); }).join();
  });
  thread.join();
  EXPECT_EQ(own, std::min(usual + 10, 19));
  EXPECT_EQ(started, own);
  EXPECT_EQ(Nice(), usual);
}

}  // namespace
}  // namespace varkeep
