// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_CLIENT_CLI_FIXTURE_H_
#define VARKEEP_TESTS_CLIENT_CLI_FIXTURE_H_

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/testing/server_process.h"

namespace varkeep {

// A server, and a folder to run lines of shell in.
class CliTest : public ::testing::Test {
 protected:
  struct Result {
    int code = 0;
    std::string out;
    std::string err;
  };

  // Runs a line of shell in which `varkeep` is the program.
  Result Run(const std::string& line) {
    std::string errors = directory_.path() + "/stderr";
    std::string command = "varkeep() { " VARKEEP_CLI " \"$@\"; }; cd " +
                          directory_.path() +
                          "; export VARKEEP_SERVER=" + server_.address() +
                          "; { " + line + "; } 2>" + errors;
    FILE* pipe = popen(command.c_str(), "r");
    Result result;
    char buffer[4096];
    while (size_t n = fread(buffer, 1, sizeof(buffer), pipe)) {
      result.out.append(buffer, n);
    }
    int status = pclose(pipe);
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    std::ostringstream text;
    text << std::ifstream(errors).rdbuf();
    result.err = text.str();
    return result;
  }

  ServerProcess server_;
  TempDir directory_;
};

}  // namespace varkeep

#endif  // VARKEEP_TESTS_CLIENT_CLI_FIXTURE_H_
