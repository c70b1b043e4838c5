--[[
Label the selected photos in darktable by how much of them is blurred.

Copy this file into the folder lua/ of darktable's configuration, add to its file luarc

    require "blurmapper"

and give "label by blur" a key, in the preferences' tab of shortcuts, under lua. The tab of Lua options says how the
program is called. Photos get a colour label, and no label that they have is taken away:
green up to S = 0.3, yellow up to 0.7, red above; S is the mean of the blur map.
]]
local dt = require "darktable"

local blurmapper = { sharp = 0.3, blurred = 0.7 }

-- Without a window there is nobody to ask, and darktable-cli waits for ever.
if dt.configuration.has_gui then
  dt.preferences.register(
    "blurmapper", "program", "string", "blurmapper: program",
    "how the program is called, with its folder where darktable does not find it", "blurmapper"
  )
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function unescape(text)
  text = text:gsub("\\u(%x%x%x%x)\\u(%x%x%x%x)", function(high, low)
    high, low = tonumber(high, 16), tonumber(low, 16)
    if high < 0xD800 or high > 0xDBFF then return nil end
    return utf8.char(0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00)
  end)
  text = text:gsub("\\u(%x%x%x%x)", function(code) return utf8.char(tonumber(code, 16)) end)
  return (text:gsub("\\(.)", "%1"))
end

-- Return S by path, for those photos that blurmapper could read.
function blurmapper.measure(images)
  local program = dt.preferences.read("blurmapper", "program", "string")
  if program == "" then program = "blurmapper" end
  local words = { quote(program), "rank", "--json", "-" }
  for _, image in ipairs(images) do
    table.insert(words, quote(image.path .. "/" .. image.filename))
  end
  local degrees = {}
  local answer = assert(io.popen(table.concat(words, " ") .. " 2>/dev/null"))
  for line in answer:lines() do
    local photo, degree = line:match('"photo": "(.-[^\\])", .*"blur_degree": ([%d.e-]+)')
    if photo then degrees[unescape(photo)] = tonumber(degree) end
  end
  answer:close()
  return degrees
end

-- Label photos; return how many could be measured.
function blurmapper.label(images)
  local degrees, count = blurmapper.measure(images), 0
  for _, image in ipairs(images) do
    local degree = degrees[image.path .. "/" .. image.filename]
    if degree then
      count = count + 1
      if degree <= blurmapper.sharp then image.green = true
      elseif degree <= blurmapper.blurred then image.yellow = true
      else image.red = true end
    end
  end
  return count
end

dt.register_event("blurmapper", "shortcut", function()
  local images = dt.gui.action_images
  dt.print(("%d of %d photos labelled"):format(blurmapper.label(images), #images))
end, "label by blur")

return blurmapper
