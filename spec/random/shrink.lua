-- Makes a random program that fails smaller, as long as it still fails.
local generator = require "random.generator"

--- Leaves out steps, many at a time and then fewer, for as long as what remains fails.
-- @param plan from `generator.plan` @param fails function(text): whether the program fails @param
-- goes_on function(): whether there is time for more @param text_of nil, or the function that writes the plan in place of
-- `generator.text` @return the text of the smallest program found
return function(plan, fails, goes_on, text_of)
    text_of = text_of or generator.text
    local text, count = text_of(plan)
    local left_out = {}
    local chunk = math.floor(count / 2)
    while chunk >= 1 do
        local smaller = false
        local first = 1
        while first <= count and goes_on() do
            local candidate, more = {}, false
            for n in pairs(left_out) do candidate[n] = true end
            for n = first, math.min(first + chunk - 1, count) do
                more = more or not candidate[n]
                candidate[n] = true
            end
            local shorter = more and text_of(plan, candidate)
            if shorter and #shorter < #text and fails(shorter) then
                left_out, text, smaller = candidate, shorter, true
            end
            first = first + chunk
        end
        if not goes_on() then break end
        if not smaller or chunk > 1 then chunk = chunk > 1 and math.floor(chunk / 2) or 0 end
    end
    return text
end
