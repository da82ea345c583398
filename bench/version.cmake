# Writes bench/version.h anew when the commit has changed: cmake -DSOURCE=… -DVERSION=… -DOUTPUT=… -P
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
                RESULT_VARIABLE failed)
if(failed)
  set(commit "unknown commit")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define WEIR_BUILD \"@VERSION@ (${commit})\"\n" @ONLY)
