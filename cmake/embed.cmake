# cmake -DOUT=FILE.c -DFILES="a;b" -P embed.cmake: files as C arrays that end in a zero, named a1_file_
# and the file's name with _ for what C does not allow.
set(text "/* Made by cmake/embed.cmake. */\n#include \"page/resources.h\"\n")
foreach(file ${FILES})
    get_filename_component(name ${file} NAME)
    string(REGEX REPLACE "[^A-Za-z0-9]" "_" name ${name})
    file(READ ${file} bytes HEX)
    string(REGEX REPLACE "(................................................)" "\\1\n" bytes "${bytes}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(APPEND text "\nconst unsigned char a1_file_${name}[] = {\n${bytes}0x00};\n")
endforeach()
file(WRITE ${OUT} "${text}")
