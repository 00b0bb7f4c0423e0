# The generated protobuf and gRPC code as two libraries, compiled without our
# warnings. Only .cc files include *.grpc.pb.h: it costs two seconds each.
function(varkeep_proto_libraries)
  set(protos tensor variable variable_service call_service checkpoint_service
      admin_service)
  set(services variable_service call_service checkpoint_service admin_service)
  set(out ${CMAKE_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${out})
  foreach(kind pb grpc)
    set(sources_${kind})
  endforeach()
  foreach(proto ${protos})
    set(file ${CMAKE_SOURCE_DIR}/proto/varkeep/v1/${proto}.proto)
    set(base ${out}/varkeep/v1/${proto})
    add_custom_command(
      OUTPUT ${base}.pb.cc ${base}.pb.h
      COMMAND protobuf::protoc --cpp_out=${out} -I${CMAKE_SOURCE_DIR}/proto
              ${file}
      DEPENDS ${file} VERBATIM)
    list(APPEND sources_pb ${base}.pb.cc)
  endforeach()
  foreach(proto ${services})
    set(file ${CMAKE_SOURCE_DIR}/proto/varkeep/v1/${proto}.proto)
    set(base ${out}/varkeep/v1/${proto})
    add_custom_command(
      OUTPUT ${base}.grpc.pb.cc ${base}.grpc.pb.h
      COMMAND protobuf::protoc --grpc_out=${out}
              --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>
              -I${CMAKE_SOURCE_DIR}/proto ${file}
      DEPENDS ${file} VERBATIM)
    list(APPEND sources_grpc ${base}.grpc.pb.cc)
  endforeach()
  add_library(varkeep_proto STATIC ${sources_pb})
  target_include_directories(varkeep_proto SYSTEM PUBLIC ${out})
  target_link_libraries(varkeep_proto PUBLIC protobuf::libprotobuf)
  add_library(varkeep::proto ALIAS varkeep_proto)
  add_library(varkeep_grpc_proto STATIC ${sources_grpc})
  target_include_directories(varkeep_grpc_proto SYSTEM PUBLIC ${out})
  target_link_libraries(varkeep_grpc_proto PUBLIC varkeep_proto gRPC::grpc++)
  add_library(varkeep::grpc_proto ALIAS varkeep_grpc_proto)
endfunction()
