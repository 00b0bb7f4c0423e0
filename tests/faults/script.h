// SPDX-License-Identifier: Apache-2.0
#ifndef VARKEEP_TESTS_FAULTS_SCRIPT_H_
#define VARKEEP_TESTS_FAULTS_SCRIPT_H_

#include <optional>
#include <vector>

#include "tests/faults/life.h"

namespace varkeep {

// A run of every kind of change, with saves between them: long enough for the
// log to have several segments and to be cut. nullopt: a save.
std::vector<std::optional<Mutation>> ScriptedRun();

// What a run left behind.
struct RunResult {
  StoreSnapshot acknowledged;  // what the server showed when it ended
  // The same with the change whose fate its caller does not know, when there is
  // one: it may come back, whole.
  std::optional<StoreSnapshot> or_else;
  int failed = 0;  // steps
  // What it showed at first and after every step, and which of these the last
  // save has.
  std::vector<StoreSnapshot> states;
  size_t saved = 0;
};

// Does the steps one by one, whatever fails, and ends the life. Checks that a
// step that failed changed nothing.
RunResult RunScript(const std::vector<std::optional<Mutation>>& script,
                    std::unique_ptr<Life> life);

// Checks that the store shows one of the two states of `result`, and that a
// change is accepted, with a revision that was not given out before.
void ExpectRecovered(const RunResult& result, Life* life);

// Checks that the store shows a state that there was: that of the last save or
// a later one.
void ExpectPrefix(const RunResult& result, Life* life);

}  // namespace varkeep

#endif  // VARKEEP_TESTS_FAULTS_SCRIPT_H_
