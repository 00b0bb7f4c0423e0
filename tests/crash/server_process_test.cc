// SPDX-License-Identifier: Apache-2.0
#include "tests/testing/server_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace varkeep {
namespace {

// A test that is killed would else leave servers behind, and ctest waits for
// all who hold the pipe that it reads.
TEST(ServerProcessTest, DiesWithTheProcessThatStartedIt) {
  TempDir directory;  // of what the child cannot remove
  // Both hold the writing end as long as they live.
  int alive[2];
  ASSERT_EQ(pipe(alive), 0);
  const pid_t child = fork();
  if (child == 0) {
    setenv("TMPDIR", directory.path().c_str(), 1);
    ServerProcess server;
    const char serves = server.IsRunning() ? 'y' : 'n';
    if (write(alive[1], &serves, 1) != 1) _exit(1);
    kill(getpid(), SIGKILL);
  }
  close(alive[1]);
  char serves = 0;
  ASSERT_EQ(read(alive[0], &serves, 1), 1);
  EXPECT_EQ(serves, 'y');
  // Ends when nobody holds the other end.
  EXPECT_EQ(read(alive[0], &serves, 1), 0);
  close(alive[0]);
  waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace varkeep
