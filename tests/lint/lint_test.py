#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The checks catch what they are for, and let pass what is permitted."""

import os
import tempfile
import unittest

import check_layers
import check_style
from layers import BY_NAME, LAYERS

LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"


class LintTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as out:
            out.write(text)

    def assert_complaint(self, check, path, line, text):
        found = list(check.violations(self.root))
        self.assertEqual([(path, line)], [item[:2] for item in found], found)
        self.assertIn(text, found[0][2])

    def assert_clean(self, check):
        self.assertEqual([], list(check.violations(self.root)))


class CheckLayersTest(LintTest):
    def test_an_include_against_the_rings(self):
        self.write("server/variables/a.h", "")
        self.write("storage/log/log.cc",
                   '#include <vector>\n#include "server/variables/a.h"\n')
        self.assert_complaint(check_layers, "storage/log/log.cc", 2,
                              "log may not use variables")

    def test_grpc_outside_the_edge(self):
        for header in ("grpcpp/grpcpp.h", "varkeep/v1/tensor.pb.h",
                       "hdf5.h", "google/protobuf/message.h"):
            with self.subTest(header):
                self.write("server/scopes/a.cc", f"#include <{header}>\n")
                self.assert_complaint(check_layers, "server/scopes/a.cc", 1,
                                      "scopes may not use")

    def test_grpc_at_the_edge(self):
        text = ('#include <grpcpp/grpcpp.h>\n'
                '#include "varkeep/v1/variable_service.grpc.pb.h"\n')
        self.write("server/service/a.cc", text)
        self.write("client/a.cc", text)
        self.write("proto/grpc_status.cc", "#include <grpcpp/grpcpp.h>\n")
        self.assert_clean(check_layers)

    def test_what_the_headers_of_the_client_hide(self):
        self.write("client/internal/a.h",
                   '#include "varkeep/v1/tensor.pb.h"\n')
        self.write("client/internal/grpc_a.h", '#include <grpcpp/grpcpp.h>\n')
        self.assert_clean(check_layers)
        for path, header, rule in (
                ("client/internal/b.h", "grpcpp/grpcpp.h", "gRPC stays"),
                ("client/b.h", "grpcpp/grpcpp.h", "gRPC stays"),
                ("client/b.h", "varkeep/v1/tensor.pb.h", "see neither"),
                ("client/b.h", "client/internal/a.h", "see neither"),
                ("client/cli/b.cc", "client/internal/a.h", "as any user"),
                ("client/examples/b.cc", "grpcpp/grpcpp.h", "may not use")):
            with self.subTest(path=path, header=header):
                self.write(path, f"#include <{header}>\n")
                self.assert_complaint(check_layers, path, 1, rule)
                os.remove(os.path.join(self.root, path))

    def test_hdf5_outside_its_folder(self):
        self.write("storage/hdf5/a.cc", "#include <hdf5.h>\n")
        self.assert_clean(check_layers)
        self.write("storage/manifest.cc", "#include <hdf5.h>\n")
        self.assert_complaint(check_layers, "storage/manifest.cc", 1,
                              "may not use hdf5")

    def test_an_include_without_its_path(self):
        self.write("base/a.h", "")
        self.write("base/a.cc", '#include "a.h"\n')
        self.assert_complaint(check_layers, "base/a.cc", 1, "without its path")

    def test_a_file_without_a_layer(self):
        self.write("misc/a.cc", "#include <vector>\n")
        self.assert_complaint(check_layers, "misc/a.cc", 1, "no layer")

    def test_a_link_against_the_rings(self):
        self.write("server/CMakeLists.txt",
                   "# links (too much)\n"
                   "varkeep_library(variables\n"
                   "  SOURCES a.cc\n"
                   "  DEPS varkeep::tensor absl::status\n"
                   "  PRIVATE_DEPS gRPC::grpc++)\n")
        self.assert_complaint(check_layers, "server/CMakeLists.txt", 5,
                              "variables may not use grpc")

    def test_a_link_of_an_existing_target(self):
        self.write("storage/CMakeLists.txt",
                   "target_link_libraries(varkeep_log PRIVATE varkeep::scopes)")
        self.assert_complaint(check_layers, "storage/CMakeLists.txt", 1,
                              "log may not use scopes")

    def test_links_of_tests(self):
        self.write("tests/base/CMakeLists.txt",
                   "varkeep_test(base_test LABEL domain SOURCES a_test.cc\n"
                   "  DEPS varkeep::service hdf5::hdf5)")
        self.assert_clean(check_layers)

    def test_the_rows_form_no_cycle(self):
        placed = set()
        while len(placed) < len(LAYERS):
            ready = {layer.name for layer in LAYERS
                     if layer.name not in placed and layer.uses <= placed}
            self.assertTrue(ready, "cycle among " + ", ".join(
                sorted(set(BY_NAME) - placed)))
            placed |= ready


class CheckStyleTest(LintTest):
    def test_a_good_header(self):
        self.write("base/a.h", LICENCE + "#ifndef VARKEEP_BASE_A_H_\n"
                   "#define VARKEEP_BASE_A_H_\n#endif\n")
        self.assert_clean(check_style)

    def test_a_wrong_guard(self):
        self.write("base/a.h", LICENCE + "#ifndef A_H_\n#define A_H_\n#endif\n")
        self.assert_complaint(check_style, "base/a.h", 2, "VARKEEP_BASE_A_H_")

    def test_a_long_file(self):
        self.write("base/a.cc", LICENCE + "\n" * 500)
        self.assert_complaint(check_style, "base/a.cc", 501, "at most 500")

    def test_no_licence(self):
        self.write("base/a.cc", "int x;\n")
        self.assert_complaint(check_style, "base/a.cc", 1, "licence line")

    def test_a_sleep_in_a_test(self):
        self.write("tests/a_test.cc", LICENCE + "// sleep(1) is forbidden\n"
                   "std::this_thread::sleep_for(1s);\n")
        self.assert_complaint(check_style, "tests/a_test.cc", 3, "sleep_for")

    def test_a_todo_without_an_issue(self):
        self.write("base/a.cc", LICENCE + "// TODO(#7): later\n// TODO: now\n")
        self.assert_complaint(check_style, "base/a.cc", 3, "TODO")

    def test_what_is_built_is_not_looked_at(self):
        self.write("build/dev/a.cc", "int x;\n")
        self.assert_clean(check_style)


if __name__ == "__main__":
    unittest.main()
