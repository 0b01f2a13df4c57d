# The host's side: unit tests of the libraries and the virtual board.
find_package(PkgConfig REQUIRED)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
pkg_check_modules(SLIRP REQUIRED IMPORTED_TARGET slirp)
pkg_check_modules(DW REQUIRED IMPORTED_TARGET libdw libelf)

enable_testing()
# Programs built for the Cortex-M4, which tests run on the virtual board.
set(MOTE_FIRMWARE_DIR ${CMAKE_SOURCE_DIR}/build/firmware-release CACHE PATH "where the firmware was built")

# The virtual board: a library, so that tests can step it, and its command line.
file(GLOB emulator_sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
  emulator/cpu/*.c emulator/board/*.c emulator/peripheral/*.c emulator/ethernet/*.c
  emulator/network/*.c emulator/host/*.c)
list(REMOVE_ITEM emulator_sources emulator/host/main.c)
if(emulator_sources)
  add_library(emulator STATIC ${emulator_sources})
  target_include_directories(emulator PUBLIC emulator)
  target_link_libraries(emulator PUBLIC mote_options PkgConfig::SLIRP PkgConfig::DW m)
  # The model's floats are the chip's: round at every operation.
  target_compile_options(emulator PRIVATE -ffp-contract=off -frounding-math)
  if(EXISTS ${CMAKE_SOURCE_DIR}/emulator/host/main.c)
    add_executable(virtual-board emulator/host/main.c)
    target_link_libraries(virtual-board PRIVATE emulator)
  endif()
endif()

# tests/FOLDER/test_*.c: one cmocka program each, linked to the library under test.
function(mote_tests folder)
  file(GLOB tests CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} tests/${folder}/test_*.c)
  file(GLOB helpers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} tests/${folder}/*.c)
  list(FILTER helpers EXCLUDE REGEX "/test_[^/]*$")
  foreach(source IN LISTS tests)
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE "test_" "${folder}-" name ${name})
    add_executable(${name} ${source} ${helpers})
    target_include_directories(${name} PRIVATE tests/${folder})
    target_compile_definitions(${name} PRIVATE
      MOTE_FIRMWARE_DIR="${MOTE_FIRMWARE_DIR}" MOTE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    target_link_libraries(${name} PRIVATE ${ARGN} PkgConfig::CMOCKA)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 600)
  endforeach()
endfunction()

mote_tests(net net)
mote_tests(mqtt mqtt)
mote_tests(settings settings)
mote_tests(log log)
if(TARGET emulator)
  mote_tests(emulator emulator)
endif()

# The rest runs programs of the Cortex-M4 or whole systems: once, not again under the sanitizers.
if(TARGET virtual-board AND NOT MOTE_SANITIZE)
  # tests/FOLDER/prog_*.c, built by cmake/firmware.cmake: semihosting prints and gives the exit status.
  # A line `// board: OPTIONS` adds options of the virtual board.
  foreach(folder kernel target)
    file(GLOB programs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/prog_*.c)
    foreach(program IN LISTS programs)
      get_filename_component(name ${program} NAME_WE)
      string(REPLACE "prog_" "${folder}-" name ${name})
      file(STRINGS ${program} options REGEX "^// board: ")
      string(REGEX REPLACE "^// board: " "" options "${options}")
      separate_arguments(options UNIX_COMMAND "${options}")
      if(NOT "--net" IN_LIST options)
        list(APPEND options --net none)
      endif()
      add_test(NAME board-${name}
        COMMAND virtual-board --timeout 600 ${options} ${MOTE_FIRMWARE_DIR}/${name}.elf)
      set_tests_properties(board-${name} PROPERTIES TIMEOUT 600)
    endforeach()
  endforeach()

  add_test(NAME kernel-must-not-compile
    COMMAND sh ${CMAKE_SOURCE_DIR}/tests/must-not-compile/run.sh arm-none-eabi-gcc
      -std=gnu17 -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard --specs=picolibc.specs -O2
      -Wall -Wextra -I${CMAKE_SOURCE_DIR} -I${CMAKE_SOURCE_DIR}/target)

  # Whole systems: the release firmware on the virtual board, real peers. Exit status 77: not possible here.
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  file(GLOB system_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/system/test_*.py)
  foreach(program IN LISTS system_tests)
    get_filename_component(name ${program} NAME_WE)
    string(REPLACE "test_" "system-" name ${name})
    add_test(NAME ${name}
      COMMAND Python3::Interpreter ${program} $<TARGET_FILE:virtual-board> ${MOTE_FIRMWARE_DIR})
    set_tests_properties(${name} PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77)
  endforeach()
endif()
